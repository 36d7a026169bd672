#pragma once

#include "cases.hpp"

#include <string>
#include <vector>

namespace vagus::bench {

/// What one server showed in all rounds of one row.
struct series {
  std::vector<double> values, server_ns, load_ns;
};

struct row_result {
  row what;
  std::string reference;  ///< "peer" or "relay"
  series theirs, ours;
};

struct case_result {
  std::vector<row_result> rows;
  std::vector<double> others;       ///< part of the machine that other programs used, 0 to 1
  std::vector<std::string> errors;  ///< not empty: the rows are incomplete
};

/// Runs the rounds of one case, each with fresh server processes, the order alternating.
case_result run_case(const bench_case& what, const options& how, const workspace& space);

}  // namespace vagus::bench

#pragma once

#include "driver.hpp"

namespace vagus::bench {

/// Prints a table line by line as the cases finish, and remembers what is needed for the summary.
class report {
public:
  explicit report(bool tsv) : tsv_(tsv) {}

  void header() const;
  void print(const bench_case& what, const case_result& result);

  /// Prints how many goals were met. Returns false when a case could not be measured.
  bool summary() const;

private:
  void print_row(const row_result& r, double others);
  void print_tsv(const row_result& r, double others, const std::string& verdict) const;

  bool tsv_;
  int met_ = 0, missed_ = 0, errors_ = 0;
};

void print_list(const std::vector<bench_case>& cases);

}  // namespace vagus::bench

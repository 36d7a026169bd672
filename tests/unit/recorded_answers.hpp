#pragma once

#include <string>
#include <vector>

namespace vagus {

/// One question to nats-server and its answer, from a file in tests/unit/data.
struct recorded_answer {
  std::string kind;   ///< the first word of the question's line
  std::string first;  ///< the rest of it
  std::string then;   ///< of the line that starts with `to`, if there is one
  std::string answer;
};

/// Throws if there is no such file.
std::vector<recorded_answer> read_recorded_answers(const std::string& file);

}  // namespace vagus

#include "recorded_answers.hpp"

#include <fstream>
#include <stdexcept>
#include <utility>

namespace vagus {

std::vector<recorded_answer> read_recorded_answers(const std::string& file) {
  std::ifstream in{VAGUS_TEST_DATA "/" + file};
  if (!in) throw std::runtime_error{"cannot read " + file};
  std::vector<recorded_answer> all;
  recorded_answer next;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    auto space = line.find(' ');
    auto word = line.substr(0, space);
    auto rest = space == std::string::npos ? "" : line.substr(space + 1);
    if (word == "=") {
      next.answer = rest;
      all.push_back(std::exchange(next, {}));
    } else if (word == "to") {
      next.then = rest;
    } else {
      next.kind = word;
      next.first = rest;
    }
  }
  return all;
}

}  // namespace vagus

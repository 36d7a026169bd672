// fault_test --server PATH [--list | NAME...]
// Does hostile things to a server and checks that it goes on serving; exit code 0 if it does.
#include "tests/faults/fault.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace {

using namespace vagus::test;

std::vector<fault> all_faults() {
  std::vector<fault> all;
  for (const auto& group : {byte_faults(), json_faults(), socket_faults(), memory_faults()})
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

bool run_one(const fault& f, const std::string& binary) {
  try {
    f.run(binary);
    std::printf("ok    %s\n", f.name.c_str());
    return true;
  } catch (const std::exception& e) {
    std::printf("FAIL  %s\n  %s\n", f.name.c_str(), e.what());
    return false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string binary;
  std::vector<std::string> names;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--server" && i + 1 < argc)
      binary = argv[++i];
    else
      names.push_back(word);
  }
  const auto faults = all_faults();
  bool good = !binary.empty();
  size_t ran = 0;
  for (const auto& f : faults) {
    const bool wanted =
        names.empty() || std::find(names.begin(), names.end(), f.name) != names.end();
    if (!wanted || binary.empty()) continue;
    ++ran;
    good &= run_one(f, binary);
    std::fflush(stdout);
  }
  if (ran == 0) std::fprintf(stderr, "usage: fault_test --server PATH [NAME...]\n");
  return good && ran != 0 ? 0 : 1;
}

// wire_test --server PATH [--peer] script.txt...
// Runs wire scripts (see README.md) against a server; exit code 0 if all hold.
#include "tests/protocol/interpreter.hpp"

#include <cstdio>
#include <string>
#include <vector>

namespace {

using namespace vagus::test;

bool run_one(const std::string& binary, const script& lines, bool bytewise) {
  try {
    interpreter{binary, bytewise}.run(lines);
    std::printf("ok    %s%s\n", lines.path.c_str(), bytewise ? " (one byte at a time)" : "");
    return true;
  } catch (const std::exception& e) {
    std::printf("FAIL  %s\n", e.what());
    return false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string binary;
  std::string kind = "vagus";
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--server" && i + 1 < argc)
      binary = argv[++i];
    else if (word == "--peer")
      kind = "peer";
    else
      paths.push_back(word);
  }
  if (binary.empty() || paths.empty()) {
    std::fprintf(stderr, "usage: wire_test --server PATH [--peer] script.txt...\n");
    return 2;
  }
  bool good = true;
  for (const auto& path : paths) {
    try {
      const auto lines = load_script(path, kind);
      good &= run_one(binary, lines, false);
      if (lines.split_at_every_byte) good &= run_one(binary, lines, true);
    } catch (const std::exception& e) {
      std::printf("FAIL  %s\n", e.what());
      good = false;
    }
  }
  return good ? 0 : 1;
}

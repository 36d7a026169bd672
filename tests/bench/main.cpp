// Compares vagus with a nats-server under the same load, side by side. See README.md.
#include "common.hpp"
#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <fnmatch.h>
#include <sys/resource.h>

namespace {

using namespace vagus::bench;

bool wanted(const bench_case& c, const options& how) {
  if (how.cases.empty()) return true;
  return std::any_of(how.cases.begin(), how.cases.end(), [&](const std::string& pattern) {
    return fnmatch(pattern.c_str(), c.name.c_str(), 0) == 0;
  });
}

/// Ten thousand connections need as many descriptors, here and in the servers that inherit this.
void raise_descriptor_limit() {
  rlimit limit{65536, 65536};
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const options& how) {
  std::vector<bench_case> chosen;
  for (auto& c : all_cases())
    if (wanted(c, how)) chosen.push_back(std::move(c));
  if (how.list) {
    print_list(chosen);
    return 0;
  }
  if (chosen.empty()) {
    std::fprintf(stderr, "no such case; --list shows them\n");
    return 2;
  }
  raise_descriptor_limit();
  const workspace space(how.directory);
  report out(how.tsv);
  out.header();
  for (const auto& c : chosen) out.print(c, run_case(c, how, space));
  return out.summary() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  options how;
  if (const std::string problem = parse_options(argc, argv, how); !problem.empty()) {
    std::fprintf(stderr, "vagus_bench: %s\n%s", problem.c_str(), usage().c_str());
    return 2;
  }
  if (how.help) {
    std::fputs(usage().c_str(), stdout);
    return 0;
  }
  try {
    return run(how);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "vagus_bench: %s\n", e.what());
    return 1;
  }
}

#include "driver.hpp"

#include "common.hpp"

#include <algorithm>
#include <cstdio>

namespace vagus::bench {

namespace {

struct contender {
  std::string name;
  std::string program;
  std::vector<std::string> args;
  bool ours = false;
};

/// Who takes part: vagus, and the peer or the relay; a server whose path was not given is left out.
std::vector<contender> contenders(const bench_case& what, const options& how) {
  std::vector<contender> result;
  if (what.run_relay) {
    result.push_back({"relay", how.relay, what.relay_args, false});
  } else if (!how.peer.empty()) {
    result.push_back({"peer", how.peer, how.peer_args, false});
  }
  if (!how.vagus.empty()) result.push_back({"vagus", how.vagus, how.vagus_args, true});
  return result;
}

void print_samples(const contender& who, pid_t pid, const bench_case& what,
                   const std::vector<sample>& samples) {
  for (size_t i = 0; i < samples.size(); ++i)
    std::fprintf(stderr, "  %-6s pid %-7d %-24s %14.1f %s, server %.1f ns, load %.1f ns\n",
                 who.name.c_str(), static_cast<int>(pid), what.rows[i].name.c_str(),
                 samples[i].value, what.rows[i].unit.c_str(), samples[i].server_ns,
                 samples[i].load_ns);
}

std::vector<sample> measure(const contender& who, const bench_case& what, const options& how,
                            const workspace& space) {
  const server_process server(space, who.program, who.args);
  try {
    auto samples = (who.name == "relay" ? what.run_relay : what.run)(server, how);
    if (how.verbose) print_samples(who, server.pid(), what, samples);
    return samples;
  } catch (const failure& e) {
    throw failure(std::string(e.what()) + "\n    its last output: " + server.log_tail());
  }
}

void add(case_result& result, const contender& who, const std::vector<sample>& samples) {
  for (size_t i = 0; i < samples.size(); ++i) {
    series& s = who.ours ? result.rows[i].ours : result.rows[i].theirs;
    s.values.push_back(samples[i].value);
    s.server_ns.push_back(samples[i].server_ns);
    s.load_ns.push_back(samples[i].load_ns);
  }
}

}  // namespace

case_result run_case(const bench_case& what, const options& how, const workspace& space) {
  case_result result;
  for (const row& r : what.rows)
    result.rows.push_back({r, what.run_relay ? "relay" : "peer", {}, {}});
  auto sides = contenders(what, how);
  for (int round = 0; round < how.rounds; ++round) {
    for (const contender& who : sides) {
      try {
        add(result, who, measure(who, what, how, space));
      } catch (const std::exception& e) {
        result.errors.push_back(who.name + ": " + e.what());
      }
    }
    std::rotate(sides.begin(), sides.begin() + (sides.empty() ? 0 : 1), sides.end());
  }
  return result;
}

}  // namespace vagus::bench

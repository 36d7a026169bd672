#include "driver.hpp"

#include "common.hpp"
#include "store_directory.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>

namespace vagus::bench {

namespace {

struct contender {
  std::string name;
  std::string program;
  std::vector<std::string> args;
  bool ours = false;
  std::shared_ptr<store_directory> prepared = {};
};

/// Who takes part: vagus, and the peer or the relay; a server whose path was not given is left out.
std::vector<contender> contenders(const bench_case& what, const options& how) {
  std::vector<contender> result;
  if (what.run_relay) {
    result.push_back({"relay", how.relay, what.relay_args, false});
  } else if (!how.peer.empty()) {
    result.push_back({"peer", how.peer, how.peer_args});
  }
  if (!how.vagus.empty()) result.push_back({"vagus", how.vagus, how.vagus_args, true});
  return result;
}

/// Meters the part of the machine that neither the server nor this process used.
class others_meter {
public:
  explicit others_meter(const server_process& server)
      : server_(server), begin_(steady::now()), busy_(machine_busy_seconds()), known_(known()) {}

  double share() const {
    const double others = machine_busy_seconds() - busy_ - (known() - known_);
    return std::max(0.0, others / seconds_between(begin_, steady::now()) / processors());
  }

private:
  double known() const { return server_.cpu_seconds() + cpu_seconds(CLOCK_PROCESS_CPUTIME_ID); }

  const server_process& server_;
  steady::time_point begin_;
  double busy_, known_;
};

struct measurement {
  std::vector<sample> samples;
  double others = 0;
  pid_t pid = 0;
};

void print(const contender& who, const bench_case& what, const measurement& m) {
  for (size_t i = 0; i < m.samples.size(); ++i)
    std::fprintf(stderr,
                 "  %-6s pid %-7d %-18s %14.1f %s, server %.1f ns, load %.1f ns, "
                 "others %.0f%%\n",
                 who.name.c_str(), static_cast<int>(m.pid), what.rows[i].name.c_str(),
                 m.samples[i].value, what.rows[i].unit.c_str(), m.samples[i].server_ns,
                 m.samples[i].load_ns, m.others * 100);
}

constexpr auto jetstream_patience = std::chrono::seconds{300};

/// How the server is started in this case; `store` is null without JetStream.
server_setup setup_of(const contender& who, const bench_case& what, const store_directory* store,
                      const workspace& space) {
  server_setup setup{who.program, who.args};
  if (store == nullptr) return setup;
  setup.patience = jetstream_patience;
  setup.args.insert(setup.args.end(), {"-js", "-sd", store->path()});
  if (who.ours || what.peer_config.empty()) return setup;
  setup.args.insert(setup.args.end(), {"-c", write_file(space, "peer.conf", what.peer_config)});
  return setup;
}

std::shared_ptr<store_directory> prepared_store(const contender& who, const bench_case& what,
                                                const options& how, const workspace& space) {
  auto store = std::make_shared<store_directory>(space, how.quick);
  server_process server(space, setup_of(who, what, store.get(), space));
  what.prepare(server, how);
  server.stop();
  return store;
}

measurement measure(contender& who, const bench_case& what, const options& how,
                    const workspace& space) {
  std::shared_ptr<store_directory> store;
  if (what.prepare) {
    if (!who.prepared) who.prepared = prepared_store(who, what, how, space);
    store = who.prepared;
  } else if (what.jetstream) {
    store = std::make_shared<store_directory>(space, how.quick);
  }
  server_process server(space, setup_of(who, what, store.get(), space));
  try {
    const others_meter others(server);
    auto samples = (who.name == "relay" ? what.run_relay : what.run)(server, how);
    measurement result{std::move(samples), others.share(), server.pid()};
    if (what.prepare)
      server.stop();
    else if (what.jetstream)
      server.kill();  // its store goes away with it
    return result;
  } catch (const failure& e) {
    throw failure(std::string(e.what()) + "\n    its last output: " + server.log_tail());
  }
}

measurement measure_undisturbed(contender& who, const bench_case& what, const options& how,
                                const workspace& space) {
  constexpr int attempts = 10;
  for (int i = 1;; ++i) {
    measurement m = measure(who, what, how, space);
    if (how.verbose) print(who, what, m);
    if (i == attempts || m.others * 100 <= how.max_others) return m;
  }
}

void add(case_result& result, const contender& who, const measurement& m) {
  result.others.push_back(m.others);
  for (size_t i = 0; i < m.samples.size(); ++i) {
    series& s = who.ours ? result.rows[i].ours : result.rows[i].theirs;
    s.values.push_back(m.samples[i].value);
    s.server_ns.push_back(m.samples[i].server_ns);
    s.load_ns.push_back(m.samples[i].load_ns);
  }
}

}  // namespace

case_result run_case(const bench_case& what, const options& how, const workspace& space) {
  case_result result;
  for (const row& r : what.rows)
    result.rows.push_back({r, what.run_relay ? "relay" : "peer", {}, {}});
  auto sides = contenders(what, how);
  for (int round = 0; round < how.rounds; ++round) {
    for (contender& who : sides) {
      try {
        add(result, who, measure_undisturbed(who, what, how, space));
      } catch (const std::exception& e) {
        result.errors.push_back(who.name + ": " + e.what());
      }
    }
    std::rotate(sides.begin(), sides.begin() + (sides.empty() ? 0 : 1), sides.end());
  }
  return result;
}

}  // namespace vagus::bench

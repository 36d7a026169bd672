// exactly_once_test --server PATH [--retention limits|workqueue] [--rounds N] [--seconds S]
//                   [--seed N] [--flags 'FLAGS'] [--dir DIR]
// Publishers that repeat, workers that crash and acknowledge twice, and a server that is killed
// with SIGKILL: each message is stored once and finished once (README.md).
#include "tests/durability/exactly_once_load.hpp"
#include "tests/durability/kill_frame.hpp"
#include "tests/support/server_process.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <signal.h>

namespace {

using namespace vagus::test;
using steady = std::chrono::steady_clock;

struct settings {
  std::string server;
  std::vector<std::string> flags;
  std::string dir;  ///< for the store, and not removed; empty: a temporary one
  std::string retention = "limits";
  int rounds = 8;
  double seconds = 0;  ///< rounds go on at least for so long
  uint64_t seed = 1;
};

std::string tail(const std::string& file) {
  constexpr size_t most = 1000;
  const auto text = read_file(file);
  return text.substr(text.size() - std::min(text.size(), most));
}

class exactly_once {
public:
  explicit exactly_once(const settings& how)
      : how_{how},
        random_{how.seed},
        dir_{how.dir.empty() ? temporary_.path() : how.dir},
        ledger_{"ONCE", how.retention == "workqueue", exactly_once_load::publishers} {}

  void run() {
    const auto begin = steady::now();
    const auto over = [&] {
      return std::chrono::duration<double>(steady::now() - begin).count() >= how_.seconds;
    };
    for (; round_ < how_.rounds || !over(); ++round_) guarded([this] { one_round(); });
    guarded([this] { last_round(); });
  }

  std::string summary() const { return ledger_.summary(); }

private:
  template <class work>
  void guarded(work what) {
    try {
      what();
    } catch (const std::exception& e) {
      throw failure{"round " + std::to_string(round_) + ": " + e.what() +
                    "\n  the end of the server's log:\n" + tail(dir_ + "/server.log")};
    }
  }

  server_options options() const {
    server_options result{how_.server, how_.flags, {}};
    result.flags.insert(result.flags.end(), {"-js", "-sd", dir_ + "/store"});
    return result;
  }

  uint64_t seed_of_round() const { return how_.seed * 1000 + static_cast<uint64_t>(round_); }

  void one_round() {
    server_process server{options(), dir_};
    if (round_ == 0)
      create(server.port());
    else
      check(server.port());
    // Sometimes it dies right after its start, with nothing but the repeated requests to lose.
    const uint64_t requests = random_() % 5 == 0 ? 0 : 50 + random_() % 3000;
    const auto moment = std::chrono::microseconds{random_() % 6000};
    using enum exactly_once_load::aim;
    exactly_once_load load{server.port(), ledger_, seed_of_round(), go_on};
    load.await(requests, moment);
    server.process().signal(SIGKILL);
    if (!server.process().wait()) throw failure{"still there after SIGKILL"};
    load.finish();
  }

  /// Everything is finished, and stays finished over one more kill.
  void last_round() {
    {
      server_process server{options(), dir_};
      check(server.port());
      using enum exactly_once_load::aim;
      exactly_once_load load{server.port(), ledger_, seed_of_round(), drain};
      load.finish();
      server.process().signal(SIGKILL);
      if (!server.process().wait()) throw failure{"still there after SIGKILL"};
    }
    server_process server{options(), dir_};
    check(server.port());
    asker client{server.port()};
    ledger_.check_end(client);
    const auto answer =
        client.ask("$JS.API.CONSUMER.MSG.NEXT.ONCE.workers", R"({"batch":1,"no_wait":true})");
    if (!answer.headers.starts_with("NATS/1.0 404"))
      throw failure{"delivered after the end: " + printable(answer.headers + answer.payload)};
  }

  void create(int port) {
    asker client{port};
    for (const auto& [what, request] :
         {std::pair{"STREAM.CREATE.ONCE", ledger_.stream_request()},
          std::pair{"CONSUMER.DURABLE.CREATE.ONCE.workers", ledger_.consumer_request()}}) {
      const auto answer = client.api(what, request);
      if (!answer.contains("config")) throw failure{"not created: " + answer.dump()};
    }
  }

  void check(int port) {
    asker client{port};
    ledger_.check_consumer(client);
  }

  settings how_;
  std::mt19937_64 random_;
  temp_dir temporary_;
  std::string dir_;
  exactly_once_ledger ledger_;
  int round_ = 0;
};

settings parse(int argc, char** argv) {
  settings how;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) return {};
    const std::string flag = argv[i], value = argv[i + 1];
    if (read_common_flag(how, flag, value)) continue;
    if (flag == "--flags")
      how.flags = words(value);
    else if (flag == "--dir")
      how.dir = value;
    else if (flag == "--retention" && (value == "limits" || value == "workqueue"))
      how.retention = value;
    else
      return {};
  }
  return how;
}

}  // namespace

int main(int argc, char** argv) {
  const auto how = parse(argc, argv);
  if (how.server.empty()) {
    std::fprintf(stderr,
                 "usage: exactly_once_test --server PATH [--retention limits|workqueue]\n"
                 "  [--rounds N] [--seconds S] [--seed N] [--flags 'FLAGS'] [--dir DIR]\n");
    return 2;
  }
  return report(how.retention + ", seed " + std::to_string(how.seed), [&] {
    exactly_once test{how};
    test.run();
    return " " + test.summary();
  });
}

// kill_test --server PATH [--rounds N] [--seconds S] [--seed N] [--damage remove|rollback]
//           [--forgets-removed] [--flags 'FLAGS'] [--dir DIR]
// Kills a server with SIGKILL again and again and checks each time what it kept (README.md).
// Exit code 0: all was well, or, with --damage, the loss was found.
#include "tests/durability/kill_frame.hpp"
#include "tests/durability/kill_load.hpp"
#include "tests/support/server_process.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <signal.h>

namespace {

using namespace vagus::test;
namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

struct settings {
  std::string server;
  std::vector<std::string> flags;
  std::string damage;
  std::string dir;  ///< for the store, and not removed; empty: a temporary one
  int rounds = 8;
  double seconds = 0;  ///< rounds go on at least for so long
  uint64_t seed = 1;
  bool forgets_removed = false;  ///< ids of messages that were removed are not known any more
};

std::string tail(const std::string& file) {
  constexpr size_t most = 1000;
  const auto text = read_file(file);
  return text.substr(text.size() - std::min(text.size(), most));
}

class torture {
public:
  explicit torture(const settings& how) : how_{how}, random_{how.seed} {
    dir_ = how.dir.empty() ? temporary_.path() : how.dir;
    using enum removal;
    ledgers_.emplace_back("PLAIN", none, kill_load::connections);
    ledgers_.emplace_back("LIMIT", limit, kill_load::connections);
    ledgers_.emplace_back("KEYS", per_subject, kill_load::connections);
    ledgers_.emplace_back("REMOVE", requests, kill_load::connections);
  }

  void run() {
    const auto begin = steady::now();
    const auto over = [&] {
      return std::chrono::duration<double>(steady::now() - begin).count() >= how_.seconds;
    };
    for (int round = 0; round < how_.rounds || !over(); ++round) {
      try {
        one_round(round);
      } catch (const std::exception& e) {
        throw failure{"round " + std::to_string(round) + ": " + e.what() +
                      "\n  the end of the server's log:\n" + tail(dir_ + "/server.log")};
      }
    }
    const server_process server{options(), dir_};
    check(server.port());
  }

  uint64_t acknowledged() const {
    uint64_t sum = 0;
    for (const auto& l : ledgers_) sum += l.acknowledged();
    return sum;
  }

private:
  server_options options() const {
    server_options result{how_.server, how_.flags};
    result.flags.insert(result.flags.end(), {"-js", "-sd", store()});
    return result;
  }

  std::string store() const { return dir_ + "/store"; }

  void one_round(int round) {
    server_process server{options(), dir_};
    if (round == 0)
      create(server.port());
    else
      check(server.port());
    // Sometimes it dies right after its start, with nothing but the repeated messages to lose.
    const uint64_t requests = random_() % 5 == 0 ? 0 : 50 + random_() % 4000;
    const auto moment = std::chrono::microseconds{random_() % 6000};
    const bool rolled_back = how_.damage == "rollback" && round == 2;
    {
      kill_load load{server.port(), ledgers_, how_.seed * 1000 + static_cast<uint64_t>(round)};
      if (rolled_back) load.await(100, {});
      if (rolled_back) fs::copy(store(), dir_ + "/old", fs::copy_options::recursive);
      load.await(rolled_back ? 2000 : requests, moment);
      server.process().signal(SIGKILL);
      if (!server.process().wait()) throw failure{"still there after SIGKILL"};
      load.finish();
    }
    if (round == 2) damage();
  }

  void damage() const {
    if (how_.damage.empty()) return;
    fs::remove_all(store());
    if (how_.damage == "rollback") fs::rename(dir_ + "/old", store());
  }

  void create(int port) {
    asker client{port};
    for (const auto& l : ledgers_) {
      const auto answer = client.api("STREAM.CREATE." + l.stream(), l.create_request());
      if (!answer.contains("config")) throw failure{"not created: " + answer.dump()};
    }
  }

  void check(int port) {
    asker client{port};
    for (auto& l : ledgers_) l.check(client);
    for (auto& l : ledgers_) l.retry(client, random_, !how_.forgets_removed);
    // Once more, with what was repeated: nothing of it may be there twice.
    for (auto& l : ledgers_) l.check(client);
  }

  settings how_;
  std::mt19937_64 random_;
  temp_dir temporary_;
  std::string dir_;
  std::deque<ledger> ledgers_;
};

settings parse(int argc, char** argv) {
  settings how;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--forgets-removed") {
      how.forgets_removed = true;
      continue;
    }
    if (i + 1 == argc) return {};
    const std::string value = argv[++i];
    if (read_common_flag(how, flag, value)) continue;
    if (flag == "--flags")
      how.flags = words(value);
    else if (flag == "--dir")
      how.dir = value;
    else if (flag == "--damage")
      how.damage = value;
    else
      return {};
  }
  return how;
}

int run(const settings& how) {
  const auto seed = static_cast<unsigned long long>(how.seed);
  try {
    torture test{how};
    test.run();
    std::printf("ok    seed %llu: all of %llu acknowledged messages as they should be\n", seed,
                static_cast<unsigned long long>(test.acknowledged()));
    return how.damage.empty() ? 0 : 1;
  } catch (const std::exception& e) {
    const bool wanted = !how.damage.empty() && std::string{e.what()}.find("round 3: ") == 0;
    std::printf("%s  seed %llu, %s\n", wanted ? "ok    found: " : "FAIL", seed, e.what());
    return wanted ? 0 : 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto how = parse(argc, argv);
  if (how.server.empty()) {
    std::fprintf(
        stderr,
        "usage: kill_test --server PATH [--rounds N] [--seconds S] [--seed N]\n"
        "  [--damage remove|rollback] [--forgets-removed] [--flags 'FLAGS'] [--dir DIR]\n");
    return 2;
  }
  ::signal(SIGPIPE, SIG_IGN);
  return run(how);
}

// kill_sources_test --server PATH [--rounds N] [--seed N]
// Kills a server with SIGKILL while streams copy others; after the next start each copy must catch
// up with its origins, without loss and without anything twice (README.md).
#include "tests/durability/kill_frame.hpp"
#include "tests/durability/kill_wire.hpp"
#include "tests/support/server_process.hpp"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <signal.h>
#include <sstream>

namespace {

using namespace vagus::test;

struct settings {
  std::string server;
  int rounds = 8;
  uint64_t seed = 1;
};

/// A stream that copies others, and how each of these is called in `Nats-Stream-Source`.
struct copy {
  std::string name;
  std::string config;                ///< besides the name
  std::vector<std::string> sources;  ///< empty: it is a mirror of FIRST
};

const std::vector<std::string> origins{"FIRST", "SECOND"};

const std::vector<copy> copies{
    {"MIRROR", R"("mirror":{"name":"FIRST"})", {}},
    {"BOTH", R"("sources":[{"name":"FIRST"},{"name":"SECOND"}])", origins},
    {"STRICT", R"("max_msg_size":100000,"sources":[{"name":"FIRST"}])", {"FIRST"}},
};

class copying {
public:
  explicit copying(const settings& how) : how_{how}, random_{how.seed} {}

  void run() {
    make();
    for (int round = 0; round < how_.rounds; ++round) {
      try {
        publish_and_kill();
        check();
      } catch (const std::exception& e) {
        throw failure{"round " + std::to_string(round) + ": " + e.what() +
                      "\n  the server's log:\n" + read_file(dir_.path() + "/server.log")};
      }
    }
  }

  uint64_t messages() const { return messages_; }

private:
  server_options options() const {
    return {how_.server, {"-js", "-sd", dir_.path() + "/store"}, {}};
  }

  void make() {
    server_process server{options(), dir_.path()};
    asker client{server.port()};
    auto create = [&](const std::string& name, const std::string& config) {
      const auto answer =
          client.api("STREAM.CREATE." + name, "{\"name\":\"" + name + "\"," + config + "}");
      if (!answer.contains("config")) throw failure{"not created: " + answer.dump()};
    };
    for (const auto& name : origins) create(name, "\"subjects\":[\"" + name + ".*\"]");
    for (const auto& c : copies) create(c.name, "\"allow_direct\":true," + c.config);
    server.stop();
  }

  static uint64_t last_of(asker& client, const std::string& stream) {
    const auto info = client.api("STREAM.INFO." + stream);
    if (!info.contains("state")) throw failure{stream + ": " + info.dump()};
    return info["state"].value("last_seq", uint64_t{0});
  }

  /// What is published says which sequence it gets: there is one publisher, nothing is removed, and
  /// what is lost without an acknowledgement was the last. The server dies after some of them.
  void publish_and_kill() {
    server_process server{options(), dir_.path()};
    std::map<std::string, uint64_t> next;
    {
      asker client{server.port()};
      for (const auto& name : origins) next[name] = last_of(client, name) + 1;
    }
    auto link = connect_client(server.port());
    link.send("SUB acks 1\r\n");
    const auto count = 200 + random_() % 800;
    const auto acknowledged = random_() % count;
    std::string frames;
    for (uint64_t i = 0; i < count; ++i) {
      const auto& name = origins[random_() % origins.size()];
      const auto subject = name + "." + std::to_string(random_() % 5);
      const auto number = std::to_string(next[name]++);
      frames += publish_frame(subject, "acks", number, random_() % 3 == 0 ? name + number : "");
    }
    link.send(frames);
    for (uint64_t i = 0; i < acknowledged; ++i)
      if (!wait_message(link)) throw failure{"the server closed"};
    server.process().signal(SIGKILL);
    server.process().wait();
  }

  void check() {
    server_process server{options(), dir_.path()};
    asker client{server.port()};
    std::map<std::string, uint64_t> stored;
    for (const auto& name : origins) stored[name] = last_of(client, name);
    messages_ = 0;
    for (const auto& c : copies) {
      uint64_t wanted = c.sources.empty() ? stored["FIRST"] : 0;
      for (const auto& source : c.sources) wanted += stored[source];
      if (!eventually([&] { return last_of(client, c.name) >= wanted; }, 3 * patience))
        throw failure{c.name + " has " + std::to_string(last_of(client, c.name)) + " of " +
                      std::to_string(wanted)};
      compare(client, c, stored);
      messages_ += wanted;
    }
    server.stop();
  }

  static void compare(asker& client, const copy& c, const std::map<std::string, uint64_t>& stored) {
    std::map<std::string, uint64_t> seen;
    for (const auto& m : client.read_all(c.name, 1)) {
      std::string source = "FIRST";
      uint64_t seq = std::stoull(m.header("Nats-Sequence"));
      if (!c.sources.empty()) std::istringstream{m.header("Nats-Stream-Source")} >> source >> seq;
      const auto expected = ++seen[source];
      if (seq != expected || m.payload != std::to_string(expected))
        throw failure{c.name + ": message " + m.header("Nats-Sequence") + " is " + source + " " +
                      std::to_string(seq) + " \"" + m.payload + "\" instead of " +
                      std::to_string(expected)};
    }
    for (const auto& [source, count] : seen)
      if (count != stored.at(source))
        throw failure{c.name + " has " + std::to_string(count) + " messages of " + source +
                      ", which has " + std::to_string(stored.at(source))};
  }

  settings how_;
  temp_dir dir_;
  std::mt19937_64 random_;
  uint64_t messages_ = 0;
};

settings parse(int argc, char** argv) {
  settings how;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i], value = argv[i + 1];
    if (!read_common_flag(how, flag, value)) return {};
  }
  return how;
}

}  // namespace

int main(int argc, char** argv) {
  const auto how = parse(argc, argv);
  if (how.server.empty()) {
    std::fprintf(stderr, "usage: kill_sources_test --server PATH [--rounds N] [--seed N]\n");
    return 2;
  }
  return report("seed " + std::to_string(how.seed), [&] {
    copying test{how};
    test.run();
    return " " + std::to_string(test.messages()) + " messages in copies";
  });
}

// kill_restore_test --server PATH --shim PATH
// Restores a stream while the server dies before its first operation on the store's files, then
// before its second, and so on until it lives. After each start the stream is whole or not there.
#include "tests/durability/kill_frame.hpp"
#include "tests/durability/kill_wire.hpp"
#include "tests/support/server_process.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace vagus::test;

struct settings {
  std::string server;
  std::string shim;
};

constexpr int stored = 20;
constexpr int most_at_start = 10;
constexpr int not_found = 10059;

/// Programs that are started while it lives lose their power before that operation.
class cut_power {
public:
  cut_power(const settings& how, const std::string& store, int operation) {
    ::setenv("LD_PRELOAD", how.shim.c_str(), 1);
    ::setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
    ::setenv("POWER_DIR", store.c_str(), 1);
    ::setenv("POWER_LOG", (store + ".log").c_str(), 1);
    ::setenv("POWER_CUT", std::to_string(operation).c_str(), 1);
  }
  ~cut_power() {
    for (const auto* name : {"LD_PRELOAD", "ASAN_OPTIONS", "POWER_DIR", "POWER_LOG", "POWER_CUT"})
      ::unsetenv(name);
  }
  cut_power(const cut_power&) = delete;
};

class restoring {
public:
  explicit restoring(const settings& how) : how_{how}, store_{dir_.path() + "/store"} {}

  /// @return how many operations a restore takes
  int run() {
    take_snapshot();
    for (int operation = 1;; ++operation) {
      std::filesystem::remove_all(store_);
      std::filesystem::remove(store_ + ".log");
      bool died = false;
      const bool answered = restore(operation, died);
      if (auto wrong = check(answered); !wrong.empty())
        throw failure{"dead before operation " + std::to_string(operation) + ": " + wrong};
      if (!died) return operation;
    }
  }

private:
  server_options options() const { return {how_.server, {"-js", "-sd", store_}, {}}; }

  void take_snapshot() {
    server_process server{options(), dir_.path()};
    asker client{server.port()};
    client.api("STREAM.CREATE.S", R"({"name":"S","subjects":["s"]})");
    for (int i = 1; i <= stored; ++i) client.ask("s", std::to_string(i));
    auto link = connect_client(server.port());
    link.send("SUB chunks 1\r\n");
    link.barrier();
    const auto answer = client.api("STREAM.SNAPSHOT.S", R"({"deliver_subject":"chunks"})");
    if (!answer.contains("config")) throw failure{"no snapshot: " + answer.dump()};
    request_ = nlohmann::json{{"config", answer["config"]}, {"state", answer["state"]}}.dump();
    for (;;) {
      const auto chunk = wait_message(link);
      if (!chunk) throw failure{"the server closed"};
      if (chunk->payload.empty()) break;
      chunks_.push_back(chunk->payload);
      if (!chunk->reply.empty()) link.send(publish_frame(chunk->reply, "none", "", {}));
    }
    server.stop();
  }

  /// Whether the client was told that its stream is there.
  bool restore(int operation, bool& died) {
    cut_power cut{how_, store_, operation};
    std::optional<server_process> server;
    try {
      server.emplace(options(), dir_.path());
    } catch (const failure&) {  // it tries out its directory when it starts
      if (operation > most_at_start) throw;
      died = true;
      return false;
    }
    asker client{server->port()};
    auto answer = client.try_ask("$JS.API.STREAM.RESTORE.S", request_);
    if (answer) {
      const auto where = answer->json().value("deliver_subject", std::string{});
      for (const auto& chunk : chunks_)
        if (answer) answer = client.try_ask(where, chunk);
      if (answer) answer = client.try_ask(where);
    }
    died = !answer || !server->process().alive();
    server->process().signal(SIGKILL);
    server->process().wait();
    if (answer && !answer->json().contains("config"))
      throw failure{"not restored: " + printable(answer->payload)};
    return answer.has_value();
  }

  /// What is wrong with the stream; empty: nothing.
  std::string check(bool answered) {
    server_process server{options(), dir_.path()};
    asker client{server.port()};
    const auto info = client.api("STREAM.INFO.S");
    server.stop();
    if (info.contains("state"))
      return info["state"]["messages"] == stored ? "" : "it lacks messages: " + info.dump();
    if (answered) return "it was restored, and is not there: " + info.dump();
    return info["error"]["err_code"] == not_found ? "" : info.dump();
  }

  settings how_;
  temp_dir dir_;
  std::string store_;
  std::string request_;
  std::vector<std::string> chunks_;
};

settings parse(int argc, char** argv) {
  settings how;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i], value = argv[i + 1];
    (flag == "--shim" ? how.shim : how.server) = value;
    if (flag != "--shim" && flag != "--server") return {};
  }
  return how;
}

}  // namespace

int main(int argc, char** argv) {
  const auto how = parse(argc, argv);
  if (how.server.empty() || how.shim.empty()) {
    std::fprintf(stderr, "usage: kill_restore_test --server PATH --shim PATH\n");
    return 2;
  }
  return report("restore", [&] {
    restoring test{how};
    return " " + std::to_string(test.run()) + " operations, each of them the last";
  });
}

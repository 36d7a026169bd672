// Connections that end badly, or that are too many.
#include "tests/faults/fault.hpp"

#include <regex>

namespace vagus::test {
namespace {

// Who stops sending still gets the answers to what was sent.
void half_close(const std::string& binary) {
  victim server{{binary}};
  auto other = connect_client(server->port());
  other.send("SUB a 1\r\n");
  other.barrier();
  for (int i = 0; i < 50; ++i) {
    auto c = connect_client(server->port());
    c.send("SUB a 1\r\nPUB a 2\r\nhi\r\nPUB b 1\r\nx\r\nPING\r\n");
    c.half_close();
    c.expect("MSG a 1 2\r\nhi\r\nPONG\r\n");
    c.expect_closed();
    other.expect("MSG a 1 2\r\nhi\r\n");
  }
  server.check_survived();
}

// Ten thousand messages, then the end of sending: all of them arrive elsewhere.
void half_close_after_many(const std::string& binary) {
  victim server{{binary}};
  auto other = connect_client(server->port());
  other.send("SUB a 1\r\n");
  other.barrier();
  auto c = connect_client(server->port());
  std::string all;
  std::string expected;
  for (int i = 0; i < 10'000; ++i) {
    const auto text = std::to_string(i);
    const auto size = std::to_string(text.size());
    all += "PUB a " + size + "\r\n" + text + "\r\n";
    expected += "MSG a 1 " + size + "\r\n" + text + "\r\n";
  }
  c.send(all);
  c.half_close();
  other.expect(expected);
  c.expect_closed();
  server.check_survived();
}

void resets(const std::string& binary) {
  victim server{{binary}};
  const auto before = server.open_files_when_idle();
  for (int i = 0; i < 300; ++i) {
    auto a = connect_client(server->port());
    auto b = connect_client(server->port());
    a.send("SUB a 1\r\nSUB a g 2\r\nSUB * 3\r\nPING\r\n");
    b.send("PUB a 5\r\nhello\r\nPUB a 5\r\nhello\r\nPUB a 5\r\nhel");
    if (i % 2) a.reset();
    b.reset();
  }
  check(eventually([&] { return server->open_files() <= before + 4; }),
        "connections are left over");
  // Nor are their subscriptions: nobody answers.
  auto c = connect_client(server->port());
  c.send("SUB r 1\r\nPUB a r 0\r\n\r\n");
  c.expect("HMSG r 1 33 33\r\nNATS/1.0 503\r\nNats-Subject: a\r\n\r\n\r\n");
  server.check_survived();
}

void silent_connections(const std::string& binary) {
  const auto limit = raise_file_limit(10'500);
  const size_t at_once = std::min<size_t>(10'000, limit - 300);
  victim server{{binary}};
  const auto before = server.open_files_when_idle();
  for (size_t made = 0; made < 10'000;) {
    std::vector<raw_connection> silent;
    for (; silent.size() < at_once && made < 10'000; ++made) silent.emplace_back(server->port());
    for (auto& c : silent) c.read_line();
    server.check_serves();
    for (auto& c : silent) c.reset();
  }
  check(eventually([&] { return server->open_files() <= before + 4; }),
        "connections are left over");
  server.check_survived();
}

// Without file descriptors nothing new is accepted, and all that is there goes on.
void files_exhausted(const std::string& binary) {
  server_options options{binary};
  options.max_files = 100;
  victim server{options};
  auto a = connect_client(server->port());
  auto b = connect_client(server->port());
  a.send("SUB a 1\r\n");
  a.barrier();
  std::vector<raw_connection> crowd;
  for (int i = 0; i < 150; ++i) crowd.emplace_back(server->port());
  check(server->wait_log([](const std::string& line) {
    static const std::regex about{"too many open files|file descriptor|accept", std::regex::icase};
    return std::regex_search(line, about);
  }),
        "the log says nothing");
  for (int i = 0; i < 100; ++i) {
    b.send("PUB a 2\r\nhi\r\n");
    a.expect("MSG a 1 2\r\nhi\r\n");
  }
  check(server->log().size() < 1024 * 1024, "the log is flooded");
  for (auto& c : crowd) c.reset();
  server.check_serves();
  a.barrier();
  b.barrier();
  server.check_survived();
}

void shutdown_with_clients(const std::string& binary) {
  temp_dir dir;
  auto first = std::make_unique<server_process>(server_options{binary}, dir.path());
  const auto port = first->port();
  std::vector<raw_connection> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(connect_client(port));
    clients.back().send(i % 2 ? "SUB > 1\r\n" : "PUB a 100\r\nhalf of it");
  }
  for (int i = 0; i < 50; ++i) clients.emplace_back(port);
  first->stop();
  for (size_t i = 0; i < 200; ++i) clients[i].expect_closed();
  first.reset();
  server_options again{binary};
  again.port = port;
  victim second{again};
  check(second->port() == port, "another port");
  second.check_survived();
}

}  // namespace

std::vector<fault> socket_faults() {
  return {{"half close", half_close},
          {"half close after many", half_close_after_many},
          {"resets", resets},
          {"silent connections", silent_connections},
          {"files exhausted", files_exhausted},
          {"shutdown with clients", shutdown_with_clients}};
}

}  // namespace vagus::test

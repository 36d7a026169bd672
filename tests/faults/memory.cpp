// What clients can make a server remember is bounded.
#include "tests/faults/fault.hpp"

#include <atomic>
#include <sys/socket.h>
#include <thread>

namespace vagus::test {
namespace {

// Publishes a million subjects, each once, and waits until the server has dealt with them.
void publish_a_million(raw_connection& c, const std::string& prefix) {
  std::string block;
  for (int i = 0; i < 1'000'000; ++i) {
    block += "PUB " + prefix + std::to_string(i) + " 0\r\n\r\n";
    if (i % 10'000 != 9'999) continue;
    c.send(block + "PING\r\n");
    c.skip_past("PONG\r\n");
    block.clear();
  }
}

void million_subjects(const std::string& binary) {
  victim server{{binary}};
  auto c = connect_client(server->port());
  c.send("SUB other.> 1\r\n");
  const auto before = server->rss_bytes();
  publish_a_million(c, "nobody.listens.");
  publish_a_million(c, "other.");
  server.check_memory(before, 256, "the subjects were kept");
  server.check_survived();
}

// A hundred thousand subscriptions of one client go with it, and their memory serves the next.
void many_subscriptions(const std::string& binary) {
  victim server{{binary}};
  uint64_t first_peak = 0;
  for (int round = 0; round < 5; ++round) {
    auto c = connect_client(server->port());
    std::string block;
    for (int i = 0; i < 100'000; ++i) {
      const auto n = std::to_string(i);
      block += "SUB inbox." + std::to_string(round) + "." + n + " " + n + "\r\n";
    }
    c.send(block);
    c.barrier();
    auto other = connect_client(server->port());
    other.send("PUB inbox." + std::to_string(round) + ".77777 1\r\nx\r\n");
    c.expect("MSG inbox." + std::to_string(round) + ".77777 77777 1\r\nx\r\n");
    if (round == 0) first_peak = server->rss_bytes();
  }
  server.check_memory(2 * first_peak, 128, "subscriptions were left over");
  server.check_survived();
}

// One fast producer, fifty clients that do not read, and two that have nothing to do with it.
void slow_consumers(const std::string& binary) {
  victim server{{binary, {"-m", "-1"}, "max_pending: 1048576\nwrite_deadline: \"1s\"\n"}};
  const auto before = server->rss_bytes();
  constexpr size_t stuck_count = 50;
  std::vector<raw_connection> stuck;
  for (size_t i = 0; i < stuck_count; ++i) {
    stuck.push_back(connect_client(server->port()));
    const int small = 64 * 1024;
    ::setsockopt(stuck.back().fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    stuck.back().send("SUB flood 1\r\n");
    stuck.back().barrier();
  }
  auto producer = connect_client(server->port());
  auto a = connect_client(server->port());
  auto b = connect_client(server->port());
  a.send("SUB fine 1\r\n");
  a.barrier();

  std::atomic<bool> enough = false;
  std::atomic<uint64_t> sent = 0;
  std::thread flood{[&] {
    const std::string block = "PUB flood 65536\r\n" + std::string(65536, 'f') + "\r\n";
    while (!enough && producer.send(block)) ++sent;
  }};
  std::string problem;
  try {
    // At least 200 rounds, and until all that are stuck have been given up.
    for (int round = 0; round < 200 || server.varz("connections") > 3; ++round) {
      b.send("PUB fine 2\r\nhi\r\n");
      a.expect("MSG fine 1 2\r\nhi\r\n");
      server.check_memory(before, 400, "memory grew");
      check(round < 1'000'000, "the slow consumers are still there");
    }
  } catch (const std::exception& e) {
    problem = e.what();
  }
  enough = true;
  flood.join();
  check(problem.empty(), problem);
  check(sent > 0, "the producer was never served");
  check(server.varz("slow_consumers") >= stuck_count, "not all were counted");
  for (auto& c : stuck) c.drain_to_end();
  producer.barrier();
  server.check_survived();
}

// A client that asks for its own echo of large messages and never reads waits only for itself.
void own_flood(const std::string& binary) {
  victim server{{binary, {}, "max_pending: 1048576\nwrite_deadline: \"1s\"\n"}};
  const auto before = server->rss_bytes();
  auto c = connect_client(server->port());
  c.send("SUB me 1\r\n");
  c.barrier();
  const std::string block = "PUB me 65536\r\n" + std::string(65536, 'f') + "\r\n";
  for (int i = 0; i < 2000 && c.send(block, patience, false); ++i) {
  }
  server.check_serves();
  server.check_memory(before, 200, "memory grew");
  c.drain_to_end();
  server.check_survived();
}

}  // namespace

std::vector<fault> memory_faults() {
  return {{"million subjects", million_subjects},
          {"many subscriptions", many_subscriptions},
          {"slow consumers", slow_consumers},
          {"own flood", own_flood}};
}

}  // namespace vagus::test

// Bytes that are no protocol, or not quite, or never end.
#include "tests/faults/fault.hpp"
#include "tests/support/http_get.hpp"

#include <random>

namespace vagus::test {
namespace {

constexpr const char* hello = "CONNECT {\"verbose\":false,\"headers\":true}\r\n";

std::string random_bytes(std::mt19937& random, size_t count) {
  std::string bytes(count, '\0');
  for (auto& c : bytes) c = static_cast<char>(random());
  return bytes;
}

// Sends, looks at what comes without waiting for it, and goes in one of three ways.
void poke(int port, const std::string& bytes, uint32_t way) {
  raw_connection c{port};
  c.send(bytes);
  c.fill(raw_connection::clock::now());
  if (way % 3 == 0) c.reset();
  if (way % 3 == 1) c.half_close();
}

void garbage(const std::string& binary) {
  victim server{{binary}};
  std::mt19937 random{20240607};
  const auto before = server.open_files_when_idle();
  for (int i = 0; i < 400; ++i)
    poke(server->port(), (i % 2 ? hello : "") + random_bytes(random, 1 + random() % 4096),
         random());
  check(eventually([&] { return server->open_files() <= before + 4; }),
        "connections are left over");
  server.check_survived();
}

// Valid traffic with a few bytes changed: gets much further into the parser than noise does.
void mutations(const std::string& binary) {
  victim server{{binary}};
  std::mt19937 random{19690720};
  const std::string valid =
      std::string{hello} +
      "SUB a.b q 1\r\nSUB > 2\r\nUNSUB 1 5\r\nPUB a.b r 5\r\nhello\r\n"
      "HPUB a.b 22 25\r\nNATS/1.0\r\nA: b\r\n C\r\n\r\nabc\r\nPING\r\nPONG\r\n";
  for (int i = 0; i < 1500; ++i) {
    auto bytes = valid;
    for (auto changes = 1 + random() % 4; changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    poke(server->port(), bytes, random());
  }
  server.check_survived();
}

// A size is a promise, not an order: nothing is set aside for what has not come.
void declared_payload(const std::string& binary) {
  victim server{{binary}};
  const auto before = server->rss_bytes();
  for (const auto* line : {"PUB a 999999999\r\n", "HPUB a 12 999999999\r\n"}) {
    auto c = connect_client(server->port());
    c.send(line);
    c.expect("-ERR 'Maximum Payload Violation'\r\n");
    c.expect_closed();
  }
  for (const auto* line : {"PUB a 1073741824\r\n", "PUB a 18446744073709551617\r\n",
                           "HPUB a 4294967308 4294967308\r\n"}) {
    auto c = connect_client(server->port());
    c.send(line);
    c.expect_closed();
  }
  std::vector<raw_connection> waiting;
  for (int i = 0; i < 200; ++i) {
    waiting.push_back(connect_client(server->port()));
    waiting.back().send("PUB a 1048576\r\nx");
  }
  server.check_serves();
  server.check_memory(before, 300, "memory grew beyond what was sent");
  waiting.clear();
  server.check_survived();
}

void endless_line(const std::string& binary) {
  victim server{{binary}};
  const auto before = server->rss_bytes();
  for (const auto* start :
       {"SUB ", "PUB ", "CONNECT {\"name\":\"", "INFO {", "+OK", "UNSUB ", "a"}) {
    auto c = connect_client(server->port());
    c.send(start);
    const std::string more(64 * 1024, 'a');
    // A server may read on for a while, so that its last word arrives, but neither for ever nor
    // into memory. After +OK there is no limit to the line.
    const auto deadline = raw_connection::clock::now() + patience;
    const bool unlimited = std::string_view{"+OK"} == start;
    bool open = true;
    for (int blocks = 0; open && (!unlimited || blocks < 512); ++blocks) {
      open = c.send(more);
      check(raw_connection::clock::now() < deadline, std::string{"still open: "} + start);
    }
  }
  server.check_memory(before, 128, "the line was kept");
  server.check_survived();
}

void half_message(const std::string& binary) {
  victim server{{binary}};
  auto listener = connect_client(server->port());
  listener.send("SUB > 1\r\n");
  listener.barrier();
  for (const auto* half :
       {"PUB", "PUB a ", "PUB a 5", "PUB a 5\r", "PUB a 5\r\n", "PUB a 5\r\nhel",
        "PUB a 5\r\nhello", "PUB a 5\r\nhello\r", "HPUB a 12 14\r\nNATS/1.0\r\n"}) {
    auto a = connect_client(server->port());
    auto b = connect_client(server->port());
    a.send(half);
    b.send(half);
    b.reset();
  }
  listener.barrier();
  server.check_survived();
}

void long_subjects(const std::string& binary) {
  victim server{{binary}};
  auto c = connect_client(server->port());
  std::string tokens = "a";
  std::string stars = "*";
  while (tokens.size() < 4080) {
    tokens += ".a";
    stars += ".*";
  }
  const std::string one(4080, 'x');
  c.send("SUB " + tokens + " 1\r\nSUB " + stars + " 2\r\nSUB a.> 3\r\nSUB " + one + " 4\r\n");
  c.send("UNSUB 2\r\nUNSUB 3\r\nPUB " + tokens + " 1\r\nx\r\n");
  c.expect("MSG " + tokens + " 1 1\r\nx\r\n");
  c.send("SUB " + stars + " 2\r\nUNSUB 1\r\nPUB " + tokens + " 1\r\nx\r\n");
  c.expect("MSG " + tokens + " 2 1\r\nx\r\n");
  c.send("PUB " + one + " 1\r\nx\r\n");
  c.expect("MSG " + one + " 4 1\r\nx\r\n");
  // Wildcards at every second level, from many sides: must not take time that doubles with each.
  for (int i = 0; i < 200; ++i) {
    auto mixed = tokens;
    for (int at = 0; at < 20; ++at) mixed[static_cast<size_t>(2 * ((i >> (at % 8)) + at))] = '*';
    c.send("SUB " + mixed + " m" + std::to_string(i) + "\r\n");
  }
  c.send("PUB " + tokens + " 1\r\nx\r\nPUB " + tokens + ".b 1\r\nx\r\nPING\r\n");
  c.skip_past("PONG\r\n");
  server.check_survived();
}

// 2^12 paths through the tree for one subject: each message walks them, and must not take for ever.
void wildcard_explosion(const std::string& binary) {
  victim server{{binary}};
  auto c = connect_client(server->port());
  int sid = 0;
  for (uint32_t mask = 0; mask < 4096; ++mask) {
    std::string subject;
    for (int bit = 0; bit < 12; ++bit) subject += (mask >> bit & 1) ? "*." : "a.";
    c.send("SUB " + subject + "end" + std::to_string(mask) + " " + std::to_string(++sid) + "\r\n");
  }
  c.barrier();
  c.send("PUB a.a.a.a.a.a.a.a.a.a.a.a.end7 1\r\nx\r\n");
  c.expect("MSG a.a.a.a.a.a.a.a.a.a.a.a.end7 8 1\r\nx\r\n");
  for (int i = 0; i < 100; ++i)
    c.send("PUB a.a.a.a.a.a.a.a.a.a.a.a.none" + std::to_string(i) + " 1\r\nx\r\n");
  c.barrier();
  server.check_survived();
}

void monitoring_garbage(const std::string& binary) {
  victim server{{binary, {"-m", "-1"}}};
  std::mt19937 random{42};
  for (int i = 0; i < 100; ++i) poke(server->http_port(), random_bytes(random, 2000), random());
  poke(server->http_port(), "GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n\r\n", 1);
  poke(server->http_port(), "GET / HTTP/1.1\r\nX: " + std::string(4'000'000, 'a'), 0);
  poke(server->http_port(), "POST /varz HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\nx", 0);
  for (const auto* path : {"/connz?limit=99999999999999999999", "/connz?subs=%zz", "/connz?cid=-1",
                           "/subsz?test=%00", "/..//../varz", "/connz?offset=9223372036854775807"})
    check(http_get(server->http_port(), path).status >= 200, "no answer");
  check(http_get(server->http_port(), "/healthz").status == 200, "not healthy");
  server.check_survived();
}

}  // namespace

std::vector<fault> byte_faults() {
  return {{"garbage", garbage},
          {"mutations", mutations},
          {"declared payload", declared_payload},
          {"endless line", endless_line},
          {"half message", half_message},
          {"long subjects", long_subjects},
          {"wildcard explosion", wildcard_explosion},
          {"monitoring garbage", monitoring_garbage}};
}

}  // namespace vagus::test

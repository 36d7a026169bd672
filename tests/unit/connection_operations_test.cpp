#include "world.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace vagus;
using namespace std::chrono_literals;

TEST_CASE("connection: INFO is the first thing that a client hears") {
  world w;
  client alice{w, ""};
  alice.hears_nothing();
  alice.says("PING\r\n");
  alice.hears_only("PONG\r\n");
}

TEST_CASE("connection: the first PONG after CONNECT brings another INFO to who understands it") {
  world w;
  client alice{w, R"({"verbose":false,"protocol":1})"};
  alice.says("PING\r\nPING\r\n");
  alice.hears("PONG\r\n");
  CHECK(alice.hears_info().find("\"remote_account\":\"$G\"") != std::string::npos);
  alice.hears_only("PONG\r\n");
}

TEST_CASE("connection: an asynchronous INFO goes to who understands it") {
  world w;
  client alice{w, R"({"verbose":false,"protocol":1})"}, bob{w};
  w.send_info();
  alice.hears_info();
  bob.hears_nothing();
}

TEST_CASE("connection: SUB takes effect before a later PUB and PING of the same read") {
  world w;
  client alice{w};
  alice.says("SUB foo 1\r\nPUB foo 2\r\nhi\r\nPING\r\n");
  alice.hears_only("MSG foo 1 2\r\nhi\r\nPONG\r\n");
}

TEST_CASE("connection: who has its PONG is seen by every other client") {
  world w{{}, 2};
  client alice{w, client::usual, 1}, bob{w, client::usual, 0};
  alice.says("SUB foo.* 9\r\nPING\r\n");
  alice.hears("PONG\r\n");
  bob.says("PUB foo.a r 2\r\nhi\r\n");
  alice.hears_only("MSG foo.a 9 r 2\r\nhi\r\n");
}

TEST_CASE("connection: operations may arrive byte by byte") {
  world w;
  client alice{w};
  for (char c : std::string{"SUB foo 1\r\nHPUB foo 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPING\r\n"})
    alice.says({c});
  alice.hears_only("HMSG foo 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPONG\r\n");
}

TEST_CASE("connection: a large payload in many pieces arrives as it was") {
  world w;
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  std::string payload;
  for (int i = 0; payload.size() < 300'000; ++i) payload += fmt::format("{},", i);
  bob.says(fmt::format("PUB foo {}\r\n", payload.size()));
  for (size_t at = 0; at < payload.size(); at += 7777) bob.says(payload.substr(at, 7777));
  bob.says("\r\nPING\r\n");
  bob.hears_only("PONG\r\n");
  alice.hears_only(fmt::format("MSG foo 1 {}\r\n{}\r\n", payload.size(), payload));
}

TEST_CASE("connection: UNSUB takes effect before a later PUB") {
  world w;
  client alice{w};
  alice.says("SUB foo 1\r\nPUB foo 1\r\na\r\nUNSUB 1\r\nPUB foo 1\r\nb\r\nPING\r\n");
  alice.hears_only("MSG foo 1 1\r\na\r\nPONG\r\n");
}

TEST_CASE("connection: UNSUB keeps what was routed before") {
  world w;
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  bob.sends("PUB foo 1\r\na\r\n");
  alice.sends("UNSUB 1\r\n");
  w.settle();
  alice.hears_only("MSG foo 1 1\r\na\r\n");
  bob.says("PUB foo 1\r\nb\r\n");
  alice.hears_nothing();
}

TEST_CASE("connection: a sid may be used again at once, for another subject") {
  world w;
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  alice.says("UNSUB 1\r\nSUB bar 1\r\nPING\r\n");
  bob.says("PUB foo 1\r\na\r\nPUB bar 1\r\nb\r\n");
  alice.hears_only("PONG\r\nMSG bar 1 1\r\nb\r\n");
  CHECK(alice.record().subscriptions == 1);
}

TEST_CASE("connection: the second SUB with a sid is ignored") {
  world w;
  client alice{w};
  alice.says("SUB foo 1\r\nSUB bar 1\r\nPUB bar 0\r\n\r\nPUB foo 0\r\n\r\n");
  alice.hears_only("MSG foo 1 0\r\n\r\n");
}

TEST_CASE("connection: auto-unsubscribe delivers exactly as many as were asked for") {
  world w;
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\nUNSUB 1 5\r\n");
  for (int i = 0; i < 4; ++i) bob.says("PUB foo 1\r\na\r\nPUB foo 1\r\nb\r\n");
  std::string two = "MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\n";
  alice.hears_only(two + two + "MSG foo 1 1\r\na\r\n");
  CHECK(alice.record().subscriptions == 0);
}

TEST_CASE("connection: auto-unsubscribe counts what was delivered since SUB") {
  world w;
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  bob.says("PUB foo 0\r\n\r\nPUB foo 0\r\n\r\nPUB foo 0\r\n\r\n");
  alice.hears_all();
  alice.says("UNSUB 1 4\r\n");
  bob.says("PUB foo 0\r\n\r\nPUB foo 0\r\n\r\n");
  alice.hears_only("MSG foo 1 0\r\n\r\n");
  alice.says("SUB foo 2\r\n");
  bob.says("PUB foo 0\r\n\r\n");
  alice.says("UNSUB 2 1\r\n");
  alice.hears("MSG foo 2 0\r\n\r\n");
  bob.says("PUB foo 0\r\n\r\n");
  alice.hears_nothing();
}

TEST_CASE("connection: auto-unsubscribe is exact for a client's own messages in one read") {
  world w;
  client alice{w};
  alice.says(
      "SUB foo 1\r\nUNSUB 1 2\r\nPUB foo 1\r\na\r\nPUB foo 1\r\nb\r\nPUB foo 1\r\nc\r\n"
      "SUB foo 1\r\nPUB foo 1\r\nd\r\nPING\r\n");
  alice.hears_only("MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nMSG foo 1 1\r\nd\r\nPONG\r\n");
}

TEST_CASE("connection: who wants no echo does not get its own messages") {
  world w;
  client alice{w, R"({"verbose":false,"echo":false})"}, bob{w};
  alice.says("SUB foo 1\r\nPUB foo 0\r\n\r\nPING\r\n");
  alice.hears_only("PONG\r\n");
  bob.says("PUB foo 0\r\n\r\n");
  alice.hears_only("MSG foo 1 0\r\n\r\n");
}

TEST_CASE("connection: headers are stripped for who does not take them") {
  world w;
  client alice{w, R"({"verbose":false,"headers":false})"}, bob{w};
  alice.says("SUB foo 1\r\n");
  bob.says("HPUB foo 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
  alice.hears_only("MSG foo 1 2\r\nhi\r\n");
}

TEST_CASE("connection: a request that reaches nobody is answered with 503") {
  world w;
  client alice{w};
  alice.says("SUB inbox.* 7\r\nPUB foo inbox.1 2\r\nhi\r\n");
  alice.hears_only("HMSG inbox.1 7 35 35\r\nNATS/1.0 503\r\nNats-Subject: foo\r\n\r\n\r\n");
}

TEST_CASE("connection: no 503 where somebody is reached, nor for who did not ask for it") {
  world w;
  client alice{w}, bob{w}, carol{w, R"({"verbose":false,"pedantic":false,"headers":true})"};
  alice.says("SUB inbox.* 1\r\n");
  bob.says("SUB foo 1\r\n");
  carol.says("SUB inbox.* 1\r\nPUB nowhere inbox.1 0\r\n\r\n");
  alice.says("PUB foo inbox.1 0\r\n\r\n");
  alice.hears_nothing();
  carol.hears_nothing();
  bob.hears_only("MSG foo 1 inbox.1 0\r\n\r\n");
}

TEST_CASE("connection: a 503 comes behind what was published before") {
  world w;
  client alice{w};
  alice.says(
      "SUB > 1\r\nSUB q.x 2\r\nUNSUB 1\r\nSUB inbox 3\r\n"
      "PUB q.x 1\r\na\r\nPUB foo inbox 0\r\n\r\nPUB q.x 1\r\nb\r\n");
  alice.hears_only(
      "MSG q.x 2 1\r\na\r\nHMSG inbox 3 35 35\r\nNATS/1.0 503\r\nNats-Subject: foo\r\n\r\n\r\n"
      "MSG q.x 2 1\r\nb\r\n");
}

TEST_CASE("connection: verbose says +OK to each operation") {
  world w;
  client alice{w, R"({"verbose":true,"pedantic":false})"};
  alice.says("SUB foo 1\r\nUNSUB 1\r\nPUB foo 0\r\n\r\nPING\r\n");
  alice.hears_only("+OK\r\n+OK\r\n+OK\r\n+OK\r\nPONG\r\n");
}

TEST_CASE("connection: a bad subject is refused, and the client stays") {
  world w;
  client alice{w};
  alice.says("SUB foo. 1\r\nPING\r\n");
  alice.hears_only("-ERR 'Invalid Subject'\r\nPONG\r\n");
}

TEST_CASE("connection: subscriptions have a limit") {
  options opts;
  opts.max_subscriptions = 2;
  opts.max_sub_tokens = 2;
  world w{opts};
  client alice{w};
  alice.says("SUB a 1\r\nSUB b 2\r\nSUB c 3\r\nUNSUB 1\r\nSUB a.b 4\r\nUNSUB 4\r\nSUB a.b.c 5\r\n");
  alice.hears_only(
      "-ERR 'maximum subscriptions exceeded'\r\n"
      "-ERR 'Permissions Violation for Subscription to \"a.b.c\", too many tokens'\r\n");
}

TEST_CASE("connection: what is not NATS is answered and closed") {
  world w;
  client alice{w}, bob{w}, carol{w}, dave{w};
  alice.says("GET / HTTP/1.1\r\n");
  alice.hears_only("-ERR 'Unknown Protocol Operation'\r\n");
  CHECK(alice.is_told_the_end());
  bob.says("PUB foo bar baz 1\r\n");
  bob.hears_nothing();
  CHECK(bob.is_told_the_end());
  carol.says("PUB foo 99999999\r\n");
  carol.hears_only("-ERR 'Maximum Payload Violation'\r\n");
  dave.says("SUB " + std::string(5000, 'x'));
  dave.hears_only("-ERR 'maximum control line exceeded'\r\n");
}

TEST_CASE("connection: what came before a bad operation still counts") {
  world w;
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  bob.says("PUB foo 0\r\n\r\nPUB foo 0\r\n\r\nnonsense\r\n");
  alice.hears_only("MSG foo 1 0\r\n\r\nMSG foo 1 0\r\n\r\n");
}

TEST_CASE("connection: a repeated CONNECT ends the subscriptions") {
  world w;
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  alice.says("CONNECT {\"verbose\":false}\r\nPING\r\n");
  bob.says("PUB foo 0\r\n\r\n");
  alice.hears_only("PONG\r\n");
  CHECK(alice.record().subscriptions == 0);
}

TEST_CASE("connection: traffic is counted") {
  world w;
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  bob.says("PUB foo 5\r\nhello\r\nPUB nobody 2\r\nhi\r\n");
  CHECK(bob.traffic().counters.in_msgs == 2);
  CHECK(bob.traffic().counters.in_bytes == 7);
  CHECK(alice.traffic().counters.out_msgs == 1);
  CHECK(alice.traffic().counters.out_bytes == 5);
  CHECK(alice.traffic().pending == 0);
  CHECK(w.counters.pending == 0);
}

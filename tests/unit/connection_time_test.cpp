#include "world.hpp"

#include <urcu/urcu-memb.h>

#include <catch2/catch.hpp>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

/// "secret", at the lowest cost.
const std::string hashed = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const std::string hashed_text = "U*U";

options with_password(std::string password) {
  options opts;
  opts.username = "ann";
  opts.password = std::move(password);
  return opts;
}

std::string connect_as(const std::string& user, const std::string& pass) {
  return R"({"verbose":false,"user":")" + user + R"(","pass":")" + pass + R"("})";
}

/// Lets time go on until the client hears something; how long that took.
std::chrono::nanoseconds time_to_hear(world& w, client& who, std::string_view text,
                                      std::chrono::nanoseconds at_most) {
  std::chrono::nanoseconds waited{0};
  for (auto before = who.socket().written.size(); waited < at_most; waited += 100ms) {
    if (who.socket().written.size() > before) break;
    w.advance(100ms);
  }
  who.hears_only(text);
  return waited;
}

}  // namespace

// ---- keepalive ----

TEST_CASE("connection: the first PING comes two seconds after CONNECT") {
  world w;
  client alice{w};
  w.advance(1900ms);
  alice.hears_nothing();
  w.advance(200ms);
  alice.hears_only("PING\r\n");
}

TEST_CASE("connection: the first PING comes to who does not send CONNECT, with some jitter") {
  world w;
  client alice{w, ""};
  auto waited = time_to_hear(w, alice, "PING\r\n", 10s);
  CHECK(waited >= 2s);
  CHECK(waited <= 2500ms);
}

TEST_CASE("connection: a PONG gives the round trip time") {
  world w;
  client alice{w};
  w.advance(2100ms);
  alice.hears("PING\r\n");
  w.advance(300ms);
  alice.says("PONG\r\n");
  CHECK(alice.record().rtt_ns / 1'000'000 >= 300);
  CHECK(alice.record().rtt_ns / 1'000'000 <= 400);
}

TEST_CASE("connection: a silent client is pinged every ping_interval, then is stale") {
  options opts;
  opts.ping_interval = 10s;
  opts.ping_max = 2;
  world w{opts};
  client alice{w};
  time_to_hear(w, alice, "PING\r\n", 3s);
  auto second = time_to_hear(w, alice, "PING\r\n", 20s);
  CHECK(second >= 9900ms);
  CHECK(second <= 12200ms);
  CHECK(w.counters.stale_connections == 0);
  auto stale = time_to_hear(w, alice, "-ERR 'Stale Connection'\r\n", 20s);
  CHECK(stale >= 9900ms);
  CHECK(stale <= 12200ms);
  CHECK(alice.is_told_the_end());
  w.advance(2s);
  CHECK(alice.is_closed());
  CHECK(alice.reason() == closed_reason::stale_connection);
  CHECK(w.counters.stale_connections == 1);
}

TEST_CASE("connection: ping_max 1 is one PING without an answer") {
  options opts;
  opts.ping_interval = 5s;
  opts.ping_max = 1;
  world w{opts};
  client alice{w};
  time_to_hear(w, alice, "PING\r\n", 3s);
  time_to_hear(w, alice, "-ERR 'Stale Connection'\r\n", 7s);
}

TEST_CASE("connection: who answers its PINGs stays for ever") {
  options opts;
  opts.ping_interval = 10s;
  world w{opts};
  client alice{w};
  for (int i = 0; i < 10; ++i) {
    time_to_hear(w, alice, "PING\r\n", 13s);
    alice.says("PONG\r\n");
  }
  CHECK_FALSE(alice.is_told_the_end());
}

TEST_CASE("connection: who sends something is not pinged, but for the first time") {
  options opts;
  opts.ping_interval = 10s;
  world w{opts};
  client alice{w};
  time_to_hear(w, alice, "PING\r\n", 3s);
  alice.says("PONG\r\n");
  for (int i = 0; i < 60; ++i) {
    w.advance(2s);
    alice.says("PUB foo 0\r\n\r\n");
  }
  alice.hears_nothing();
}

// ---- authentication ----

TEST_CASE("connection: who does not authenticate in time is closed") {
  world w{with_password("secret")};
  client alice{w, ""};
  CHECK(w.server().opened.size() == 1);
  w.advance(1900ms);
  alice.hears_nothing();
  w.advance(200ms);
  alice.hears_only("-ERR 'Authentication Timeout'\r\n");
  CHECK(alice.is_told_the_end());
  w.advance(1100ms);
  CHECK(alice.reason() == closed_reason::authentication_timeout);
}

TEST_CASE("connection: nothing but CONNECT is taken before authentication") {
  world w{with_password("secret")};
  client alice{w, ""};
  alice.says("PING\r\n");
  alice.hears_only("-ERR 'Authorization Violation'\r\n");
  CHECK(alice.is_told_the_end());
}

TEST_CASE("connection: a good password lets in, a bad one does not") {
  for (bool costly : {false, true}) {
    world w{with_password(costly ? hashed : hashed_text)};
    client alice{w, ""}, bob{w, ""};
    alice.says("CONNECT " + connect_as("ann", hashed_text) + "\r\nPING\r\n");
    alice.hears_only("PONG\r\n");
    bob.says("CONNECT " + connect_as("ann", "wrong") + "\r\nPING\r\n");
    bob.hears_only("-ERR 'Authorization Violation'\r\n");
    w.advance(3s);
    CHECK(bob.reason() == closed_reason::authentication_violation);
    CHECK_FALSE(alice.is_closed());
  }
}

TEST_CASE("connection: what follows CONNECT waits for a costly check") {
  world w{with_password(hashed)};
  client alice{w, ""};
  alice.says("CONNECT " + connect_as("ann", hashed_text) +
             "\r\nSUB foo 1\r\nPUB foo 2\r\nhi\r\nPING\r\n");
  alice.hears_only("MSG foo 1 2\r\nhi\r\nPONG\r\n");
}

// ---- write_deadline ----

TEST_CASE("connection: who takes nothing for write_deadline is a slow consumer") {
  world w;
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  alice.stops_reading();
  bob.says("PUB foo 2\r\nhi\r\n");
  w.advance(9900ms);
  CHECK(w.counters.slow_consumers == 0);
  w.advance(300ms);
  CHECK(w.counters.slow_consumers == 1);
  w.advance(1100ms);
  CHECK(alice.is_closed());
  CHECK(alice.reason() == closed_reason::slow_consumer_deadline);
}

TEST_CASE("connection: any progress puts the write deadline off") {
  world w;
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  alice.stops_reading();
  bob.says("PUB foo 9\r\n123456789\r\n");
  for (int i = 0; i < 5; ++i) {
    w.advance(8s);
    alice.stops_reading(1);
    w.settle();
  }
  CHECK(w.counters.slow_consumers == 0);
  alice.reads_on();
  CHECK(alice.traffic().pending == 0);
  w.advance(20s);
  CHECK_FALSE(alice.is_closed());
}

// ---- the end ----

TEST_CASE("connection: one that was refused may read its error before it is closed") {
  world w;
  client alice{w};
  alice.stops_reading();
  alice.says("nonsense\r\n");
  w.advance(500ms);
  CHECK_FALSE(alice.is_told_the_end());
  alice.reads_on();
  alice.hears_only("-ERR 'Unknown Protocol Operation'\r\n");
  CHECK(alice.is_told_the_end());
  CHECK_FALSE(alice.is_closed());
  alice.says("what it still sends is thrown away\r\n");
  CHECK(alice.socket().all_read());
  alice.hangs_up();
  CHECK(alice.is_closed());
  alice.hears_nothing();
}

TEST_CASE("connection: one that was refused and does not leave is closed after a second") {
  world w;
  client alice{w};
  alice.stops_reading();
  alice.says("nonsense\r\n");
  w.advance(900ms);
  CHECK_FALSE(alice.is_closed());
  w.advance(200ms);
  CHECK(alice.is_closed());
  CHECK(alice.reason() == closed_reason::protocol_violation);
  CHECK(w.server().closed == std::vector<uint64_t>{1});
}

TEST_CASE("connection: who hangs up is gone at once, and so are its subscriptions") {
  world w;
  client alice{w}, bob{w, R"({"verbose":false,"headers":true,"no_responders":true})"};
  alice.says("SUB foo 1\r\n");
  bob.says("SUB inbox 1\r\n");
  alice.hangs_up();
  CHECK(alice.is_closed());
  CHECK(alice.reason() == closed_reason::client_closed);
  CHECK(w.server().closed.size() == 1);
  bob.says("PUB foo inbox 0\r\n\r\n");
  CHECK(bob.hears_all().find("503") != std::string::npos);
}

TEST_CASE("connection: what was said before hanging up counts") {
  world w;
  client alice{w}, bob{w};
  bob.says("SUB foo 1\r\n");
  alice.sends("PUB foo 1\r\na\r\nPING\r\n");
  alice.hangs_up();
  alice.hears_only("PONG\r\n");
  bob.hears_only("MSG foo 1 1\r\na\r\n");
}

TEST_CASE("connection: a reset ends it without a last word") {
  world w;
  client alice{w};
  alice.resets();
  CHECK(alice.is_closed());
  CHECK(alice.reason() == closed_reason::read_error);
  CHECK(w.server().closed.size() == 1);
}

TEST_CASE("connection: shutdown writes what is there and closes") {
  world w;
  client alice{w};
  alice.sends("PING\r\n");
  w.close_all(closed_reason::server_shutdown);
  CHECK(alice.is_closed());
  CHECK(alice.reason() == closed_reason::server_shutdown);
}

TEST_CASE("connection: one that nobody holds any more still closes by itself") {
  world w;
  client alice{w};
  alice.says("bogus\r\n");
  alice.hears_only("-ERR 'Unknown Protocol Operation'\r\n");
  urcu_memb_barrier();  // its endpoint has given up the actor
  w.forget_connections();
  w.settle();
  CHECK_FALSE(alice.is_closed());
  w.advance(2s);
  CHECK(alice.is_closed());
  CHECK(w.server().closed.size() == 1);
}

TEST_CASE("connection: the one too many is told so") {
  options opts;
  opts.max_connections = 1;
  world w{opts};
  client alice{w}, bob{w, ""};
  bob.hears_only("-ERR 'maximum connections exceeded'\r\n");
  CHECK(bob.is_told_the_end());
  CHECK_FALSE(alice.is_told_the_end());
}

TEST_CASE("connection: nothing is left of many that came and went") {
  world w;
  for (int i = 0; i < 50; ++i) {
    client c{w};
    c.says("SUB foo 1\r\nSUB bar q 2\r\nSUB > 3\r\nPUB foo 1\r\na\r\n");
    c.hangs_up();
  }
  CHECK(w.server().closed.size() == 50);
  CHECK(w.counters.pending == 0);
  CHECK(w.counters.connections == 0);
}

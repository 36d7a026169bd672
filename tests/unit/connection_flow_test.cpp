#include "actors/interest/rcu.hpp"
#include "world.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

std::string pub(std::string_view subject, size_t size) {
  return fmt::format("PUB {} {}\r\n{}\r\n", subject, size, std::string(size, 'x'));
}

size_t count(std::string_view text, std::string_view what) {
  size_t n = 0;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

options small_pending() {
  options opts;
  opts.max_pending = 3200;  // high water 200, low water 100
  return opts;
}

}  // namespace

// ---- queue groups ----

TEST_CASE("connection: each message goes to one member of a queue group") {
  world w;
  client a{w}, b{w}, publisher{w};
  a.says("SUB foo q 1\r\n");
  b.says("SUB foo q 1\r\n");
  for (int i = 0; i < 100; ++i) publisher.says("PUB foo 0\r\n\r\n");
  auto to_a = count(a.hears_all(), "MSG foo"), to_b = count(b.hears_all(), "MSG foo");
  CHECK(to_a + to_b == 100);
  CHECK(to_a > 10);
  CHECK(to_b > 10);
}

TEST_CASE("connection: members share what a third one leaves behind") {
  world w;
  client leaving{w}, other{w}, publisher{w};
  leaving.says("SUB foo q 1\r\n");
  other.says("SUB foo q 2\r\n");
  // Both members are chosen for some of these; then one of them is gone before it has run.
  std::string many;
  for (int i = 0; i < 40; ++i) many += pub("foo", 1);
  publisher.sends(many);
  leaving.socket().arrive_end();
  w.settle();
  CHECK(leaving.is_closed());
  CHECK(count(other.hears_all(), "MSG foo 2 1\r\n") == 40);
}

TEST_CASE("connection: a member that unsubscribes keeps or hands on what was routed to it") {
  world w;
  client leaving{w}, other{w}, publisher{w};
  leaving.says("SUB foo q 1\r\n");
  other.says("SUB foo q 2\r\n");
  std::string many;
  for (int i = 0; i < 40; ++i) many += pub("foo", 1);
  publisher.sends(many);
  leaving.sends("UNSUB 1\r\n");
  w.settle();
  CHECK(count(other.hears_all() + leaving.hears_all(), "MSG foo") == 40);
  publisher.says(many);
  CHECK(count(other.hears_all(), "MSG foo") == 40);
  leaving.hears_nothing();
}

TEST_CASE("connection: what an auto-unsubscribed member may not have goes to another one") {
  world w;
  client limited{w}, other{w}, publisher{w};
  limited.says("SUB foo q 1\r\nUNSUB 1 3\r\n");
  other.says("SUB foo q 2\r\n");
  std::string many;
  for (int i = 0; i < 60; ++i) many += pub("foo", 1);
  publisher.says(many);
  auto to_limited = count(limited.hears_all(), "MSG foo");
  CHECK(to_limited == 3);
  CHECK(count(other.hears_all(), "MSG foo") == 57);
}

TEST_CASE("connection: where the last member leaves, nobody gets the rest") {
  world w;
  client limited{w}, publisher{w};
  limited.says("SUB foo q 1\r\nUNSUB 1 2\r\n");
  publisher.says(pub("foo", 1) + pub("foo", 1) + pub("foo", 1) + "PING\r\n");
  CHECK(count(limited.hears_all(), "MSG foo") == 2);
  publisher.hears_only("PONG\r\n");
}

TEST_CASE("connection: rerouting reaches members on other loops") {
  world w{{}, 2};
  client leaving{w, client::usual, 0}, other{w, client::usual, 1}, publisher{w, client::usual, 1};
  leaving.says("SUB foo q 1\r\n");
  other.says("SUB foo q 2\r\n");
  leaving.socket().arrive_end();
  std::string many;
  for (int i = 0; i < 40; ++i) many += pub("foo", 1);
  publisher.says(many);
  CHECK(count(other.hears_all(), "MSG foo") == 40);
}

TEST_CASE("connection: a member that closes during a publisher's read hands on what it was sent") {
  world w{{}, 2};
  client leaving{w, client::usual, 0}, other{w, client::usual, 0};
  leaving.says("SUB foo q 1\r\n");
  other.says("SUB foo q 2\r\n");
  auto& publisher = w.context(1);
  std::vector<router::pressure> over;
  {
    snapshot_guard reading;
    for (int i = 0; i < 40; ++i) publisher.routes.publish({"foo", "", "x", -1, nullptr}, nullptr);
    leaving.hangs_up();
    CHECK(leaving.is_closed());
    CHECK(w.server().closed.size() == 1);
    publisher.routes.flush(nullptr, publisher.loop, INT64_MAX, over);
  }
  w.settle();
  CHECK(count(other.hears_all(), "MSG foo 2 1\r\n") == 40);
  CHECK(w.counters.pending == 0);
}

TEST_CASE("connection: a closed one ends once no publisher can see it") {
  world w;
  auto before = w.actors();
  client alice{w};
  {
    snapshot_guard reading;
    alice.says("SUB foo 1\r\n");
    alice.hangs_up();
    CHECK(w.actors() == before + 1);
  }
  w.let_retire();
  CHECK(w.actors() == before);
}

// ---- slow consumers ----

TEST_CASE("connection: who has more than max_pending waiting is a slow consumer") {
  world w{small_pending()};
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  alice.stops_reading();
  for (int i = 0; i < 40; ++i) {
    bob.says(pub("foo", 100));
    w.advance(100ms);
  }
  CHECK(w.counters.slow_consumers == 1);
  CHECK(alice.is_closed());
  CHECK(alice.reason() == closed_reason::slow_consumer_pending);
  CHECK(w.counters.pending == 0);
  bob.says("PING\r\n");
  CHECK(count(bob.hears_all(), "PONG") == 1);
}

TEST_CASE("connection: a slow consumer that reads on hears why it is closed") {
  world w{small_pending()};
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  alice.stops_reading();
  bob.says(pub("foo", 4000));
  CHECK(w.counters.slow_consumers == 1);
  alice.reads_on();
  alice.hears_only("-ERR 'Slow Consumer'\r\n");
  CHECK(alice.is_told_the_end());
}

TEST_CASE("connection: a slow consumer gets the rest of the frame that is half on the wire") {
  world w{small_pending()};
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  alice.stops_reading(10);
  bob.says(pub("foo", 20));
  bob.says(pub("foo", 4000));
  alice.reads_on();
  alice.hears_only("MSG foo 1 20\r\n" + std::string(20, 'x') + "\r\n-ERR 'Slow Consumer'\r\n");
}

TEST_CASE("connection: a slow consumer is nothing to others of the same subject") {
  world w{small_pending()};
  client slow{w}, fast{w}, bob{w};
  slow.says("SUB foo 1\r\n");
  fast.says("SUB foo 2\r\n");
  slow.stops_reading();
  for (int i = 0; i < 50; ++i) {
    bob.says(pub("foo", 100));
    w.advance(100ms);
  }
  CHECK(slow.is_closed());
  CHECK(count(fast.hears_all(), "MSG foo 2 100\r\n") == 50);
}

TEST_CASE("connection: a client that floods itself is a slow consumer like any other") {
  world w{small_pending()};
  client alice{w};
  alice.says("SUB foo 1\r\n");
  alice.stops_reading();
  alice.says(pub("foo", 4000) + "PING\r\n");
  CHECK(w.counters.slow_consumers == 1);
  alice.reads_on();
  alice.hears_only("-ERR 'Slow Consumer'\r\n");
}

// ---- stalls ----

TEST_CASE("connection: a producer waits for a consumer that is over its high-water mark") {
  world w{small_pending()};
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  alice.stops_reading();
  bob.says(pub("foo", 300));
  bob.says("PING\r\n");
  bob.hears_nothing();
  CHECK_FALSE(bob.socket().all_read());
  alice.reads_on();
  bob.hears_only("PONG\r\n");
  CHECK(bob.traffic().counters.stalls == 1);
  CHECK(w.counters.stalled_clients == 1);
}

TEST_CASE("connection: what was read before the stall is acted on") {
  world w{small_pending()};
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  alice.stops_reading();
  bob.says(pub("foo", 300) + "PING\r\n");
  bob.hears_only("PONG\r\n");
}

TEST_CASE("connection: a producer does not wait long for who has only a little too much") {
  world w{small_pending()};
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  alice.stops_reading();
  bob.says(pub("foo", 300));
  bob.says("PING\r\n");
  bob.hears_nothing();
  w.advance(100ms);
  bob.hears_only("PONG\r\n");
}

TEST_CASE("connection: a producer goes on when the consumer that it waits for has gone") {
  world w{small_pending()};
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  alice.stops_reading();
  bob.says(pub("foo", 300));
  bob.says("PING\r\n");
  bob.hears_nothing();
  alice.hangs_up();
  bob.hears_only("PONG\r\n");
}

TEST_CASE("connection: no producer is stalled where that is switched off") {
  auto opts = small_pending();
  opts.no_fast_producer_stall = true;
  world w{opts};
  client alice{w}, bob{w};
  alice.says("SUB foo 1\r\n");
  alice.stops_reading();
  bob.says(pub("foo", 300));
  bob.says("PING\r\n");
  bob.hears_only("PONG\r\n");
}

TEST_CASE("connection: a producer waits for all whom it has given too much") {
  world w{small_pending()};
  client a{w}, b{w}, bob{w};
  a.says("SUB foo 1\r\n");
  b.says("SUB foo 1\r\n");
  a.stops_reading();
  b.stops_reading();
  bob.says(pub("foo", 300));
  bob.says("PING\r\n");
  a.reads_on();
  bob.hears_nothing();
  b.reads_on();
  bob.hears_only("PONG\r\n");
}

TEST_CASE("connection: producers wait longer once the process holds too much") {
  world w{small_pending()};
  std::vector<std::unique_ptr<client>> slow;
  for (int i = 0; i < 12; ++i) {
    slow.push_back(std::make_unique<client>(w));
    slow.back()->says("SUB foo 1\r\n");
    slow.back()->stops_reading();
  }
  client bob{w};
  bob.says(pub("foo", 2500));
  w.advance(100ms);
  bob.says(pub("foo", 10));
  bob.says("PING\r\n");
  w.advance(5s);
  CHECK(bob.hears_all().find("PONG") == std::string::npos);
  for (auto& s : slow) s->reads_on();
  CHECK(bob.hears_all().find("PONG") != std::string::npos);
}

// ---- reload ----

TEST_CASE("connection: after a reload new limits hold for who is there") {
  world w;
  client alice{w};
  options opts;
  opts.max_payload = 10;
  opts.max_subscriptions = 1;
  w.reload(opts);
  alice.says("SUB a 1\r\nSUB b 2\r\n");
  alice.hears_only("-ERR 'maximum subscriptions exceeded'\r\n");
  alice.says("PUB foo 11\r\n");
  alice.hears_only("-ERR 'Maximum Payload Violation'\r\n");
}

TEST_CASE("connection: after a reload who would not be let in has to go") {
  world w;
  client alice{w}, ann{w, R"({"verbose":false,"user":"ann","pass":"p"})"};
  options opts;
  opts.username = "ann";
  opts.password = "p";
  w.reload(opts);
  alice.hears_only("-ERR 'Authorization Violation'\r\n");
  CHECK(alice.is_told_the_end());
  ann.says("PING\r\n");
  ann.hears_only("PONG\r\n");
}

TEST_CASE("connection: after a reload who has not said CONNECT has the time that others have") {
  world w;
  client alice{w, ""};
  options opts;
  opts.token = "t";
  opts.auth_timeout = 1s;
  w.reload(opts);
  w.advance(900ms);
  alice.hears_nothing();
  w.advance(200ms);
  alice.hears_only("-ERR 'Authentication Timeout'\r\n");
}

TEST_CASE("connection: after a reload without credentials nobody is asked for them") {
  options opts;
  opts.token = "t";
  world w{opts};
  client alice{w, ""};
  w.reload({});
  w.advance(2500ms);
  alice.hears_only("PING\r\n");
  alice.says("CONNECT {\"verbose\":false}\r\nPING\r\n");
  alice.hears_only("PONG\r\n");
}

TEST_CASE("connection: the next PING follows the new ping_interval") {
  world w;
  client alice{w};
  options opts;
  opts.ping_interval = 5s;
  w.reload(opts);
  w.advance(2100ms);
  alice.hears("PING\r\n");
  // Without an answer: one that came in after the PING would count as a sign of life.
  w.advance(6200ms);
  alice.hears("PING\r\n");
}

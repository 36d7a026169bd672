#include "jetstream_world.hpp"
#include "resident_maps.hpp"

#include <catch2/catch.hpp>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

const char* storage() {
  return GENERATE("memory", "file");
}

}  // namespace

TEST_CASE("stream: messages have the time at which they came") {
  jetstream_world w;
  asker c{w};
  c.make(storage());
  w.advance(90s);
  c.ask("s.a", "x");
  auto message = c.api("STREAM.MSG.GET.S", R"({"seq":1})").at("message");
  CHECK(message.at("time") == "2026-01-01T00:01:30Z");
}

TEST_CASE("stream: max_age removes messages when their time has come") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"max_age":10000000000)");
  c.ask("s.a", "one");
  w.advance(6s);
  c.ask("s.a", "two");
  w.advance(3500ms);
  CHECK(c.state().at("messages") == 2);
  w.advance(1s);
  CHECK(c.state().at("messages") == 1);
  CHECK(c.state().at("first_seq") == 2);
  w.advance(6s);
  CHECK(c.state().at("messages") == 0);
  CHECK(c.ask("s.a", "three") == acked(3));
}

TEST_CASE("stream: Nats-TTL ends one message, or keeps it beyond max_age") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"allow_msg_ttl":true,"max_age":10000000000)");
  c.ask("s.a", "soon", header("Nats-TTL", "2s"));
  c.ask("s.a", "usual");
  c.ask("s.a", "always", header("Nats-TTL", "never"));
  w.advance(1500ms);
  CHECK(c.state().at("messages") == 3);
  w.advance(1s);
  CHECK_FALSE(c.holds(1, "soon"));
  CHECK(c.state().at("messages") == 2);
  w.advance(1min);
  CHECK(c.state().at("messages") == 1);
  CHECK(c.holds(3, "always"));
}

TEST_CASE("stream: at rest its store takes no memory for what it has in files") {
  jetstream_world w;
  asker c{w};
  c.make("file");
  auto resident = [&] { return testing::resident_maps(w.js().store_dir); };
  c.ask("s.a", "one");
  w.advance(4s);
  CHECK(c.holds(1, "one"));
  w.advance(4s);
  CHECK(resident() > 0);
  w.advance(7s);
  CHECK(resident() == 0);
  CHECK(c.holds(1, "one"));
}

TEST_CASE("stream: what expired while the server was down is gone when it is back") {
  jetstream_world w;
  asker c{w};
  c.make("file", R"(,"max_age":10000000000)");
  c.ask("s.a", "x");
  w.stop_jetstream();
  w.advance(11s);
  w.restart_jetstream();
  CHECK(c.state().at("messages") == 0);
  CHECK(c.state().at("last_seq") == 1);
}

TEST_CASE("stream: a message id is forgotten after the duplicate window") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"duplicate_window":10000000000)");
  auto id = header("Nats-Msg-Id", "one");
  CHECK(c.ask("s.a", "x", id) == acked(1));
  w.advance(9s);
  CHECK(c.ask("s.a", "x", id) == duplicate_of(1));
  w.advance(2s);
  CHECK(c.ask("s.a", "x", id) == acked(2));
}

TEST_CASE("stream: a longer max_age takes effect on what is stored") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"max_age":10000000000)");
  c.ask("s.a", "x");
  w.advance(5s);
  CHECK(error_in(c.change(R"(,"max_age":20000000000)")) == 0);
  w.advance(10s);
  CHECK(c.state().at("messages") == 1);
  w.advance(6s);
  CHECK(c.state().at("messages") == 0);
}

TEST_CASE("stream: a shorter max_age takes effect at once") {
  jetstream_world w;
  asker c{w};
  c.make(storage());
  c.ask("s.a", "x");
  w.advance(10s);
  CHECK(error_in(c.change(R"(,"max_age":5000000000)")) == 0);
  w.advance(200ms);
  CHECK(c.state().at("messages") == 0);
}

TEST_CASE("stream: the last message of a subject that expires leaves a marker") {
  jetstream_world w;
  asker c{w};
  c.make(storage(),
         R"(,"max_age":2000000000,"subject_delete_marker_ttl":5000000000,"allow_msg_ttl":true,)"
         R"("allow_rollup_hdrs":true,"republish":{"src":"s.>","dest":"R.>"})");
  c.tell("s.a", "x");
  w.advance(2500ms);
  auto copies = c.answers();
  REQUIRE(copies.size() == 2);
  CHECK(copies[1].find("Nats-Marker-Reason: MaxAge\r\n") != std::string::npos);
  CHECK(copies[1].ends_with("Nats-Last-Sequence: 1\r\n\r\n"));
  CHECK(c.state().at("messages") == 1);
  w.advance(6s);
  CHECK(c.state().at("messages") == 0);
}

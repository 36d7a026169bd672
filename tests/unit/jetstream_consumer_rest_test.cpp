#include "jetstream_consumer_world.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

/// A stream and its consumer. What is an actor besides the consumer is counted before.
struct rest_world {
  jetstream_world world;
  consumer_bench b{world};
  size_t others;

  explicit rest_world(std::string_view stream = {}, std::string_view consumer = {}) {
    b.c.make("file", stream);
    others = world.actors();
    b.make(consumer);
  }

  /// How many actors its consumers are.
  size_t awake() {
    world.let_retire();
    return world.actors() - others;
  }
};

}  // namespace

TEST_CASE("consumer: one that nobody has used is a row, and answers as any other") {
  rest_world w;
  CHECK(w.awake() == 0);
  w.b.publish(2);
  CHECK(w.b.info().at("num_pending") == 2);
  CHECK(w.awake() == 0);
  CHECK(w.b.api("CONSUMER.LIST.S").at("consumers").at(0).at("num_pending") == 2);
  CHECK(w.awake() == 0);
}

TEST_CASE("consumer: a pull request wakes it, and some time after its last use it rests again") {
  rest_world w;
  w.b.publish(3);
  CHECK(w.b.pulls() == "1");
  CHECK(w.awake() == 1);
  CHECK(w.b.confirmed(1));
  w.b.wait(20s);
  CHECK(w.awake() == 0);
  CHECK(w.b.pulls("2") == "2 3");
  CHECK(w.b.last("2").reply.starts_with("$JS.ACK.S.C.1.2.2."));
  CHECK(w.b.told_pending() == 0);
}

TEST_CASE("consumer: a pull that does not wait and gets nothing leaves it at rest") {
  rest_world w;
  CHECK(w.b.pulls(R"({"batch":1,"no_wait":true})") == "<404 No Messages>");
  CHECK(w.awake() == 0);
  w.b.publish(1);
  CHECK(w.b.pulls(R"({"batch":1,"no_wait":true})") == "1");
  CHECK(w.awake() == 1);
}

TEST_CASE("consumer: it does not rest while a message is to be acknowledged or a pull waits") {
  rest_world w{{}, member("ack_wait", 50s)};
  w.b.publish(1);
  CHECK(w.b.pulls() == "1");
  w.b.wait(40s);
  CHECK(w.awake() == 1);
  w.b.next("1");
  CHECK(w.b.heard_after(20s) == "1#2");
  CHECK(w.b.confirmed(1));
  w.b.next("1");
  w.b.wait(59s);
  CHECK(w.awake() == 1);
  w.b.publish(1);
  CHECK(w.b.heard() == "2");
}

TEST_CASE("consumer: a late acknowledgement of one that rests is answered") {
  rest_world w;
  w.b.publish(1);
  CHECK(w.b.pulls() == "1");
  CHECK(w.b.confirmed(1));
  w.b.wait(20s);
  CHECK(w.awake() == 0);
  CHECK(w.b.confirmed(1));
  w.b.answer(1, R"(+NXT {"batch":1,"no_wait":true})", "R.m");
  CHECK(w.b.heard() == "<404 No Messages>");
}

TEST_CASE("consumer: a pull is answered once whenever it comes while its consumer goes to rest") {
  for (auto after = 4800ms; after < 5600ms; after += 20ms) {
    rest_world w;
    w.b.publish(3);
    CHECK(w.b.pulls() == "1");
    CHECK(w.b.confirmed(1));
    w.world.advance(after);
    w.b.c.tell("$JS.API.CONSUMER.MSG.NEXT.S.C", "1", {}, "R.m");
    w.world.let_retire();
    w.world.advance(1s);
    CHECK(w.b.heard() == "2");
    CHECK(w.b.info().at("delivered").at("consumer_seq") == 2);
  }
}

TEST_CASE("consumer: after a restart one without pending messages rests, another does not") {
  rest_world w{{}, member("ack_wait", 2s)};
  w.b.api("CONSUMER.CREATE.S.D", R"({"stream_name":"S","config":{"durable_name":"D"}})");
  w.b.publish(1);
  CHECK(w.b.pulls() == "1");
  w.world.restart_jetstream();
  w.b.heard();
  CHECK(w.awake() == 1);
  w.b.next("1");
  CHECK(w.b.heard_after(3s) == "1#2");
  CHECK(w.b.info("D").at("num_pending") == 1);
}

TEST_CASE("consumer: one that rests can be changed, paused and deleted") {
  rest_world w;
  CHECK(error_in(w.b.update(R"(,"description":"d")")) == 0);
  CHECK(w.b.info().at("config").at("description") == "d");
  w.b.wait(10s);
  CHECK(w.awake() == 0);
  auto paused = w.b.api("CONSUMER.PAUSE.S.C", R"({"pause_until":"2026-01-01T00:01:00Z"})");
  CHECK(paused.at("paused") == true);
  w.b.publish(1);
  w.b.next("1");
  CHECK(w.b.heard() == "");
  CHECK(w.b.heard_after(60s) == "1");
  CHECK(w.b.confirmed(1));
  CHECK(error_in(w.b.api("CONSUMER.PAUSE.S.C")) == 0);
  w.b.wait(30s);
  CHECK(w.awake() == 0);
  CHECK(w.b.api("CONSUMER.DELETE.S.C").at("success") == true);
  CHECK(w.b.pulls() == "<503>");
  w.b.answer(1, "+ACK", "R.ack");
  CHECK(w.b.heard() == "<503>");
  CHECK_FALSE(w.b.exists());
}

TEST_CASE("consumer: while it rests, what it needs stays in a stream kept for its consumers") {
  rest_world w{R"(,"retention":"interest")"};
  w.b.publish(3);
  CHECK(w.b.pulls() == "1");
  CHECK(w.b.confirmed(1));
  w.b.wait(20s);
  CHECK(w.awake() == 0);
  w.b.publish(1);
  CHECK(w.b.c.state().at("messages") == 3);
  CHECK(w.b.pulls("9") == "2 3 4");
}

TEST_CASE("consumer: one with an inactive_threshold or in memory does not rest, and goes in time") {
  auto more = GENERATE(R"(,"inactive_threshold":30000000000)",
                       R"(,"mem_storage":true,"inactive_threshold":30000000000)");
  rest_world w{{}, more};
  CHECK(w.awake() == 1);
  w.b.wait(20s);
  CHECK(w.b.info().at("num_pending") == 0);
  w.b.wait(31s);
  CHECK_FALSE(w.b.exists());
  CHECK(w.awake() == 0);
}

TEST_CASE("consumer: its stream can go while it rests") {
  rest_world w;
  CHECK(w.awake() == 0);
  CHECK(w.b.api("STREAM.DELETE.S").at("success") == true);
  CHECK(w.b.pulls() == "<503>");
}

TEST_CASE("consumer: one that a restored stream brings is left out if it could not be made") {
  auto config =
      GENERATE(R"({"name":"X","durable_name":"X","ack_policy":"explicit","ack_wait":-5})",
               R"({"name":"X","durable_name":"X","filter_subject":"a..b"})",
               R"({"name":"X","durable_name":"X","deliver_subject":"a.*"})",
               R"({"name":"X","durable_name":"X","deliver_policy":"by_start_sequence"})",
               R"({"name":"Y","durable_name":"Y"})", R"({"name":"X","durable_name":"Y"})");
  rest_world w;
  w.world.restart_with_consumer("S", "C", "X", config);
  INFO(config);
  auto list = w.b.api("CONSUMER.NAMES.S").at("consumers");
  CHECK(list == nlohmann::json{"C"});
}

TEST_CASE("consumer: one that a restored stream brings is there if it could be made") {
  rest_world w;
  w.world.restart_with_consumer("S", "C", "X",
                                R"({"name":"X","durable_name":"X","ack_policy":"explicit"})");
  auto config = w.b.info("X").at("config");
  CHECK(config.at("max_deliver") == -1);
  CHECK(config.at("max_ack_pending") == 1000);
}

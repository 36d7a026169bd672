#include "jetstream_consumer_world.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

struct push_world {
  jetstream_world world;
  consumer_bench b{world};

  explicit push_world(std::string_view more = {}, const char* kind = "memory",
                      const options& opts = {})
      : world{opts} {
    b.c.make(kind);
    b.make(fmt::format(R"(,"deliver_subject":"P"{})", more));
  }

  /// Publishes messages of a kilobyte, so many that they make up `bytes`.
  void publish_bytes(size_t bytes) {
    for (size_t i = 0; i < bytes / 1024; ++i) b.c.tell("s.a", std::string(1024, 'x'));
    world.settle();
  }
};

size_t words(const std::string& text) {
  return text.empty() ? 0 : static_cast<size_t>(std::count(text.begin(), text.end(), ' ')) + 1;
}

}  // namespace

TEST_CASE("push consumer: it delivers while somebody is subscribed, and rests otherwise") {
  push_world w{{}, GENERATE("memory", "file")};
  w.b.publish(2);
  CHECK_FALSE(w.b.info().contains("push_bound"));
  CHECK(w.b.info().at("delivered").at("consumer_seq") == 0);
  w.b.c.hear("P", 2);
  CHECK(w.b.heard() == "1 2");
  CHECK(w.b.info().at("push_bound") == true);
  w.b.publish(1);
  CHECK(w.b.heard() == "3");
  w.b.c.unhear(2);
  w.b.publish(1);
  CHECK(w.b.heard().empty());
  CHECK_FALSE(w.b.info().contains("push_bound"));
  w.b.c.hear("P", 2);
  CHECK(w.b.heard() == "4");
}

TEST_CASE("push consumer: what is pending waits for a subscriber, too") {
  push_world w{member("ack_wait", 1s)};
  w.b.c.hear("P", 2);
  w.b.publish(1);
  CHECK(w.b.heard() == "1");
  w.b.c.unhear(2);
  CHECK(w.b.heard_after(5s).empty());
  w.b.c.hear("P", 2);
  CHECK(w.b.heard() == "1#2");
}

TEST_CASE("push consumer: pull requests are told that it is none") {
  push_world w;
  CHECK(w.b.pulls() == "<409 Consumer is push based>");
}

TEST_CASE("push consumer: with a deliver group each message goes to one of its members") {
  push_world w{R"(,"deliver_group":"g")"};
  consumer_bench other{w.world};
  w.b.c.hear("P", 2, "g");
  other.c.hear("P", 2, "g");
  w.b.publish(40);
  auto mine = words(w.b.heard());
  auto others = words(other.heard());
  CHECK(mine + others == 40);
  CHECK(mine > 0);
  CHECK(others > 0);
  w.b.c.unhear(2);
  w.b.publish(5);
  CHECK(w.b.heard().empty());
  CHECK(words(other.heard()) == 5);
}

TEST_CASE(
    "push consumer: only its deliver subject's own subscribers, of its group, make it deliver") {
  for (bool grouped : {false, true}) {
    push_world w{grouped ? R"(,"deliver_group":"g")" : ""};
    w.b.publish(1);
    w.b.c.hear("P", 2, grouped ? "" : "g");
    w.b.c.hear("P", 3, "h");
    w.b.c.hear("*", 4, grouped ? "g" : "");
    CHECK(w.b.heard_after(1s).empty());
    CHECK(w.b.info().value("push_bound", false) == false);
    w.b.c.unhear(3);
    w.b.c.unhear(4);
    w.b.c.hear("P", 5, grouped ? "g" : "");
    CHECK(words(w.b.heard()) == 2);  // whoever else is subscribed gets it too
    CHECK(w.b.info().at("push_bound") == true);
  }
}

TEST_CASE("push consumer: idle heartbeats come when nothing else does") {
  push_world w{member("idle_heartbeat", 1s)};
  CHECK(w.b.heard_after(3s).empty());
  w.b.c.hear("P", 2);
  CHECK(w.b.heard_after(2500ms) == "<100 Idle Heartbeat> <100 Idle Heartbeat>");
  w.b.publish(1);
  CHECK(w.b.heard() == "1");
  CHECK(w.b.heard_after(800ms).empty());
  CHECK(w.b.heard_after(400ms) == "<100 Idle Heartbeat>");
  const auto& beat = w.b.last("<100 Idle Heartbeat>");
  CHECK(beat.headers.find("Nats-Last-Consumer: 1\r\nNats-Last-Stream: 1\r\n") != std::string::npos);
  CHECK(beat.headers.find("Nats-Consumer-Stalled") == std::string::npos);
  w.b.c.unhear(2);
  CHECK(w.b.heard_after(5s).empty());
}

TEST_CASE("push consumer: flow control stops at a full window and goes on with the answer") {
  push_world w{R"(,"flow_control":true,"ack_policy":"none")" + member("idle_heartbeat", 5s)};
  w.b.c.hear("P", 2);
  w.publish_bytes(3 << 20);
  auto first = w.b.heard();
  auto request = w.b.last("<100 FlowControl Request>");
  CHECK(request.reply.starts_with("$JS.FC.S.C."));
  CHECK(words(first) > 1024);
  CHECK(words(first) < 2048 + 2);
  CHECK(w.b.heard_after(4s).empty());
  CHECK(w.b.heard_after(1200ms) == "<100 Idle Heartbeat>");
  CHECK(w.b.last("<100 Idle Heartbeat>")
            .headers.find(fmt::format("Nats-Consumer-Stalled: {}\r\n", request.reply)) !=
        std::string::npos);
  w.b.c.tell(request.reply);
  w.world.settle();
  w.b.heard();
  CHECK(w.b.info().at("num_pending") == 0);
  CHECK(w.b.info().at("delivered").at("stream_seq") == 3072);
}

TEST_CASE("push consumer: a message larger than the window does not stop flow control for ever") {
  options opts;
  opts.max_payload = 16 << 20;
  push_world w{R"(,"flow_control":true,"ack_policy":"none")" + member("idle_heartbeat", 5s),
               "memory", opts};
  w.b.c.hear("P", 2);
  w.publish_bytes((1 << 20) + (1 << 17));
  w.b.c.tell("s.a", std::string(9 << 20, 'x'));
  w.publish_bytes(1 << 20);
  for (int answers = 0; answers < 4; ++answers) {
    w.b.heard();
    w.b.c.tell(w.b.last("<100 FlowControl Request>").reply);
    w.world.settle();
  }
  CHECK(w.b.info().at("num_pending") == 0);
}

TEST_CASE("push consumer: a subscriber that comes anew gets a new window") {
  push_world w{R"(,"flow_control":true,"ack_policy":"none")" + member("idle_heartbeat", 5s)};
  w.b.c.hear("P", 2);
  w.publish_bytes(3 << 20);
  w.b.heard();
  auto before = w.b.info().at("delivered").at("stream_seq");
  CHECK(before < 3072);
  w.b.c.unhear(2);
  w.b.c.hear("P", 2);
  w.b.heard();
  CHECK(w.b.info().at("delivered").at("stream_seq") == 3072);
}

TEST_CASE("push consumer: another deliver subject gets what was pending on the one before") {
  push_world w;
  w.b.c.hear("P", 2);
  w.b.publish(2);
  CHECK(w.b.heard() == "1 2");
  w.b.answer(1);
  w.b.c.unhear(2);
  CHECK(error_in(w.b.update(R"(,"deliver_subject":"Q")")) == 0);
  w.b.c.hear("Q", 3);
  CHECK(w.b.heard() == "2#2");
  w.b.publish(1);
  CHECK(w.b.heard() == "3");
}

TEST_CASE("push consumer: max_ack_pending holds it until one is acknowledged") {
  push_world w{R"(,"max_ack_pending":2)"};
  w.b.c.hear("P", 2);
  w.b.publish(4);
  CHECK(w.b.heard() == "1 2");
  w.b.answer(1);
  CHECK(w.b.heard() == "3");
}

TEST_CASE("push consumer: headers_only leaves the payload away and says how long it was") {
  push_world w{R"(,"headers_only":true)", GENERATE("memory", "file")};
  w.b.c.hear("P", 2);
  w.b.c.tell("s.a", "hello");
  w.b.c.tell("s.a", "bye", header("A", "b"));
  w.world.settle();
  CHECK(w.b.heard() == "1 2");
  CHECK(w.b.last("1").headers == "NATS/1.0\r\nNats-Msg-Size: 5\r\n\r\n");
  CHECK(w.b.last("2").headers == "NATS/1.0\r\nA: b\r\nNats-Msg-Size: 3\r\n\r\n");
  CHECK(w.b.last("1").payload.empty());
  CHECK(w.b.last("2").payload.empty());
}

TEST_CASE("push consumer: an ephemeral one stays while somebody hears it, then goes") {
  push_world w{R"(,"name":"C")" + member("inactive_threshold", 2s)};
  w.b.c.hear("P", 2);
  w.b.wait(10s);
  CHECK(w.b.exists());
  w.b.c.unhear(2);
  w.b.wait(1700ms);
  CHECK(w.b.exists());
  w.b.wait(700ms);
  CHECK_FALSE(w.b.exists());
}

TEST_CASE("push consumer: it goes on after a restart where it was, for who is still subscribed") {
  push_world w{{}, "file"};
  w.b.c.hear("P", 2);
  w.b.publish(2);
  CHECK(w.b.heard() == "1 2");
  w.b.answer(1);
  w.world.restart_jetstream();
  CHECK(w.b.heard().empty());
  w.b.publish(1);
  CHECK(w.b.heard() == "3");
  CHECK(w.b.heard_after(30500ms) == "2#2 3#2");
}

TEST_CASE("push consumer: a subscriber on another loop is heard, and gets the messages") {
  jetstream_world world{{}, 2};
  consumer_bench b{world, 1};
  b.c.make("memory");
  b.make(R"(,"deliver_subject":"P")");
  b.publish(2);
  b.c.hear("P", 2);
  CHECK(b.heard() == "1 2");
  b.answer(1);
  CHECK(b.info().at("num_ack_pending") == 1);
}

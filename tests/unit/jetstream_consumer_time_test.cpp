#include "jetstream_consumer_world.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

struct timed_world {
  jetstream_world world;
  consumer_bench b{world};

  explicit timed_world(std::string_view consumer = {}, const char* kind = "memory") {
    b.c.make(kind);
    b.make(consumer);
  }

  nlohmann::json pause(std::string_view until) {
    return b.api("CONSUMER.PAUSE.S.C", fmt::format(R"({{"pause_until":"{}"}})", until));
  }
};

}  // namespace

// ---- pull requests ----

TEST_CASE("consumer: a pull request ends when it expires, and says what is left of it") {
  timed_world w;
  w.b.publish(1);
  CHECK(w.b.pulls(R"({"batch":3,"expires":2000000000,"max_bytes":1000})") == "1");
  CHECK(w.b.heard_after(1900ms).empty());
  CHECK(w.b.heard_after(200ms) == "<408 Request Timeout>");
  const auto& status = w.b.last("<408 Request Timeout>");
  CHECK(status.subject == "R.m");
  CHECK(status.headers.find("Nats-Pending-Messages: 2\r\n") != std::string::npos);
  w.b.publish(1);
  CHECK(w.b.heard().empty());
  CHECK(w.b.info().at("num_waiting") == 0);
}

TEST_CASE("consumer: a pull request with heartbeats gets them while nothing else comes") {
  timed_world w;
  w.b.publish(1);
  CHECK(w.b.pulls(R"({"batch":3,"expires":10000000000,"idle_heartbeat":1000000000})") == "1");
  CHECK(w.b.heard_after(900ms).empty());
  CHECK(w.b.heard_after(200ms) == "<100 Idle Heartbeat>");
  const auto& beat = w.b.last("<100 Idle Heartbeat>");
  CHECK(beat.headers.find("Nats-Last-Consumer: 1\r\nNats-Last-Stream: 1\r\n") != std::string::npos);
  w.b.wait(600ms);
  w.b.publish(1);
  CHECK(w.b.heard() == "2");
  CHECK(w.b.heard_after(800ms).empty());
  CHECK(w.b.heard_after(300ms) == "<100 Idle Heartbeat>");
}

TEST_CASE("consumer: no_wait takes what is there and ends, or ends at once") {
  timed_world w{{}, GENERATE("memory", "file")};
  CHECK(w.b.pulls(R"({"batch":5,"no_wait":true})") == "<404 No Messages>");
  w.b.publish(2);
  CHECK(w.b.pulls(R"({"batch":5,"no_wait":true})") == "1 2 <404 No Messages>");
  CHECK(w.b.pulls(R"({"batch":5,"no_wait":true,"expires":1000000000})").empty());
  CHECK(w.b.heard_after(1200ms) == "<408 Request Timeout>");
}

TEST_CASE("consumer: no more than max_waiting requests wait") {
  timed_world w{R"(,"max_waiting":2)"};
  w.b.next("1", "R.a");
  w.b.next("1", "R.b");
  CHECK(w.b.heard().empty());
  CHECK(w.b.pulls() == "<409 Exceeded MaxWaiting>");
  CHECK(w.b.info().at("num_waiting") == 2);
  w.b.publish(3);
  CHECK(w.b.heard() == "1 2");
  CHECK(w.b.last("1").subject == "s.a");
  CHECK(w.b.pulls() == "3");
}

TEST_CASE("consumer: a request whose client is gone gets nothing, and the message is not counted") {
  timed_world w;
  {
    consumer_bench other{w.world};
    other.c.hear("other", 2);
    other.next("1", "other");
    other.c.unhear(2);
  }
  w.b.publish(1);
  CHECK(w.b.info().at("delivered").at("consumer_seq") == 0);
  CHECK(w.b.pulls() == "1");
}

// ---- pause ----

TEST_CASE("consumer: while it is paused nothing goes out, and heartbeats do") {
  timed_world w{{}, GENERATE("memory", "file")};
  auto answer = w.pause("2026-01-01T00:00:10Z");
  CHECK(answer.at("paused") == true);
  CHECK(answer.at("pause_remaining") == 10'000'000'000);
  w.b.publish(2);
  CHECK(w.b.pulls(R"({"batch":3,"expires":30000000000,"idle_heartbeat":4000000000})").empty());
  CHECK(w.b.info().at("paused") == true);
  CHECK(w.b.heard_after(9s) == "<100 Idle Heartbeat> <100 Idle Heartbeat>");
  CHECK(w.b.heard_after(1200ms) == "1 2");
  CHECK_FALSE(w.b.info().contains("paused"));
}

TEST_CASE("consumer: taking the pause away lets messages go out at once") {
  timed_world w;
  w.pause("2026-01-02T00:00:00Z");
  w.b.publish(1);
  CHECK(w.b.pulls("2").empty());
  CHECK(w.b.api("CONSUMER.PAUSE.S.C").at("paused") == false);
  CHECK(w.b.heard() == "1");
}

TEST_CASE("consumer: what was delivered before a pause is delivered again after it") {
  timed_world w{member("ack_wait", 1s)};
  w.b.publish(1);
  CHECK(w.b.pulls("5") == "1");
  w.pause("2026-01-01T00:00:05Z");
  CHECK(w.b.heard_after(4500ms).empty());
  CHECK(w.b.heard_after(700ms) == "1#2");
}

TEST_CASE("consumer: a pause and its end are told, and outlive a restart") {
  timed_world w{{}, "file"};
  const auto* subject = "$JS.EVENT.ADVISORY.CONSUMER.PAUSE.S.C";
  w.b.c.hear(subject, 2);
  w.pause("2026-01-01T00:00:10Z");
  CHECK(w.b.heard() == subject);
  w.b.publish(1);
  w.world.restart_jetstream();
  w.b.heard();
  CHECK(w.b.pulls().empty());
  CHECK(w.b.heard_after(10500ms) == "1");
}

// ---- inactive_threshold ----

TEST_CASE("consumer: an ephemeral one goes after inactive_threshold without use") {
  timed_world w{R"(,"name":"C")" + member("inactive_threshold", 3s), GENERATE("memory", "file")};
  w.b.wait(2s);
  CHECK(w.b.pulls(R"({"batch":1,"expires":5000000000})").empty());
  CHECK(w.b.heard_after(5200ms) == "<408 Request Timeout>");
  w.b.wait(2500ms);
  CHECK(w.b.exists());
  w.b.wait(700ms);
  CHECK_FALSE(w.b.exists());
  CHECK(w.b.pulls() == "<503>");
}

TEST_CASE("consumer: an ephemeral one without a threshold goes after five seconds") {
  timed_world w{R"(,"name":"C")"};
  w.b.wait(4800ms);
  CHECK(w.b.exists());
  w.b.wait(400ms);
  CHECK_FALSE(w.b.exists());
}

TEST_CASE("consumer: a durable one stays, unless it has a threshold of its own") {
  timed_world w;
  w.b.wait(10min);
  CHECK(w.b.exists());
  CHECK(error_in(w.b.update(member("inactive_threshold", 2s))) == 0);
  w.b.wait(2300ms);
  CHECK_FALSE(w.b.exists());
}

TEST_CASE("consumer: acknowledgements keep a consumer from going") {
  timed_world w{R"(,"name":"C")" + member("inactive_threshold", 2s)};
  w.b.publish(3);
  CHECK(w.b.pulls("3") == "1 2 3");
  for (uint64_t seq = 1; seq <= 3; ++seq) {
    w.b.wait(1500ms);
    w.b.answer(seq);
  }
  CHECK(w.b.exists());
  w.b.wait(2300ms);
  CHECK_FALSE(w.b.exists());
}

// ---- replay and rate ----

TEST_CASE("consumer: replay original has the pace at which messages were stored") {
  jetstream_world world;
  consumer_bench b{world};
  b.c.make("memory");
  b.publish(1);
  b.wait(1s);
  b.publish(1);
  b.wait(3s);
  b.publish(1);
  b.make(R"(,"replay_policy":"original")");
  CHECK(b.pulls("5") == "1");
  CHECK(b.heard_after(900ms).empty());
  CHECK(b.heard_after(200ms) == "2");
  CHECK(b.heard_after(2700ms).empty());
  CHECK(b.heard_after(400ms) == "3");
  CHECK(b.info().at("num_pending") == 0);
}

namespace {

/// Messages that take about 1040 bytes each, ten of which may go out in a second.
struct rated_world {
  jetstream_world world;
  consumer_bench b{world};

  explicit rated_world(int max_msg_size, std::string_view more = {}, const options& opts = {})
      : world{opts} {
    b.c.make("memory", fmt::format(R"(,"max_msg_size":{})", max_msg_size));
    b.c.hear("P", 2);
    for (int i = 0; i < 20; ++i) b.c.tell("s.a", std::string(997, 'x'));
    world.settle();
    b.make(fmt::format(R"(,"deliver_subject":"P","rate_limit_bps":83200{})", more));
  }
};

}  // namespace

TEST_CASE("consumer: rate_limit_bps lets as much as the largest message go out at once") {
  options opts;
  bool of_stream = GENERATE(true, false);
  if (!of_stream) opts.max_payload = 4000;
  rated_world w{of_stream ? 4000 : -1, {}, opts};
  CHECK(w.b.heard() == "1 2 3");
  CHECK(w.b.heard_after(90ms) == "4");
  CHECK(w.b.heard_after(100ms) == "5");
  CHECK(w.b.heard_after(500ms) == "6 7 8 9 10");
}

TEST_CASE("consumer: with rate_limit_bps, what a pause has spared is no more than one burst") {
  rated_world w{4000};
  CHECK(w.b.heard_after(990ms) == "1 2 3 4 5 6 7 8 9 10 11 12 13");
  w.b.c.unhear(2);
  w.b.wait(10s);
  w.b.c.hear("P", 2);
  CHECK(w.b.heard() == "14 15 16");
}

TEST_CASE("consumer: rate_limit_bps counts what is delivered again") {
  rated_world w{4000, R"(,"ack_wait":300000000)"};
  CHECK(w.b.heard_after(290ms) == "1 2 3 4 5 6");
  CHECK(w.b.heard_after(500ms) == "1#2 2#2 3#2 4#2 5#2");
}

TEST_CASE("consumer: rate_limit_bps only slows down what is larger than a burst") {
  rated_world w{1000};
  CHECK(w.b.heard() == "1");
  CHECK(w.b.heard_after(90ms) == "");
  CHECK(w.b.heard_after(500ms) == "2 3 4 5 6");
}

#include "jetstream_consumer_world.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

const char* storage() {
  return GENERATE("memory", "file");
}

/// A stream with a retention, and consumers named by their letters.
struct retention_world {
  jetstream_world world;
  consumer_bench b{world};

  retention_world(const char* kind, std::string_view retention, std::string_view more = {}) {
    b.c.make(kind, fmt::format(R"(,"retention":"{}"{})", retention, more));
  }

  nlohmann::json try_add(std::string_view name, std::string_view more = {}) {
    return b.api(fmt::format("CONSUMER.CREATE.S.{}", name),
                 fmt::format(R"({{"stream_name":"S","config":{{"durable_name":"{}","ack_policy":)"
                             R"("explicit"{}}}}})",
                             name, more));
  }
  void add(std::string_view name, std::string_view more = {}) {
    auto answer = try_add(name, more);
    INFO(answer.dump());
    REQUIRE(error_in(answer) == 0);
  }

  std::string pulls(std::string_view name, int batch) {
    b.c.tell(fmt::format("$JS.API.CONSUMER.MSG.NEXT.S.{}", name),
             fmt::format(R"({{"batch":{},"expires":100000000}})", batch), {}, "R.m");
    world.settle();
    return b.heard();
  }
  /// Acknowledges what that consumer was delivered first as that message.
  void ack(std::string_view name, uint64_t seq, std::string_view with = "+ACK") {
    b.c.tell(fmt::format("$JS.ACK.S.{}.1.{}.{}.0.0", name, seq, seq), with);
    world.settle();
  }
  uint64_t messages() { return b.c.state().at("messages"); }
};

}  // namespace

TEST_CASE("interest: a message stays until every consumer has acknowledged it") {
  retention_world w{storage(), "interest"};
  w.add("A");
  w.add("B");
  w.b.publish(2);
  CHECK(w.messages() == 2);
  CHECK(w.pulls("A", 2) == "1 2");
  CHECK(w.pulls("B", 2) == "1 2");
  w.ack("A", 1);
  w.ack("A", 2);
  CHECK(w.messages() == 2);
  w.ack("B", 2);
  CHECK(w.messages() == 1);
  CHECK(w.b.c.holds(1, "x"));
  w.ack("B", 1, "+TERM");
  CHECK(w.messages() == 0);
}

TEST_CASE("interest: what no consumer wants takes a sequence and is not stored") {
  retention_world w{storage(), "interest"};
  w.add("A", R"(,"filter_subject":"s.a")");
  w.b.publish(1, "s.b");
  w.b.publish(1, "s.a");
  CHECK(w.messages() == 1);
  CHECK(w.b.info("A").at("num_pending") == 1);
  CHECK(w.pulls("A", 1) == "2");
  w.ack("A", 2);
  CHECK(w.messages() == 0);
}

TEST_CASE("interest: num_pending knows nothing of messages that nobody wanted") {
  retention_world w{storage(), "interest"};
  w.add("A", R"(,"filter_subject":"s.a")");
  w.add("B", R"(,"filter_subject":"s.>")");
  w.b.api("CONSUMER.DELETE.S.B");
  w.b.c.tell("$JS.API.CONSUMER.MSG.NEXT.S.A", "1", {}, "R.m");
  w.world.settle();
  w.b.publish(3, "s.b");
  w.b.publish(3, "s.a");
  CHECK(w.b.heard() == "4");
  CHECK(w.b.info("A").at("num_pending") == 2);
}

TEST_CASE("interest: deleting a consumer takes away what only it needed") {
  retention_world w{storage(), "interest"};
  w.add("A");
  w.add("B");
  w.b.publish(3);
  CHECK(w.pulls("A", 2) == "1 2");
  w.ack("A", 1);
  w.ack("A", 2);
  CHECK(w.messages() == 3);
  w.b.api("CONSUMER.DELETE.S.B");
  CHECK(w.messages() == 1);
  w.b.api("CONSUMER.DELETE.S.A");
  CHECK(w.messages() == 0);
}

TEST_CASE("interest: another filter takes away what is wanted no longer") {
  retention_world w{storage(), "interest"};
  w.add("A", R"(,"filter_subject":"s.>")");
  w.b.publish(1, "s.a");
  w.b.publish(1, "s.b");
  w.add("A", R"(,"filter_subject":"s.a")");
  CHECK(w.messages() == 1);
  CHECK(w.b.c.holds(1, "x"));
  w.b.publish(1, "s.b");
  CHECK(w.messages() == 1);
}

TEST_CASE("interest: with ack_policy none a message goes when all have got it") {
  retention_world w{storage(), "interest"};
  w.add("A");
  w.b.api("CONSUMER.CREATE.S.B",
          R"({"stream_name":"S","config":{"durable_name":"B","ack_policy":"none"}})");
  w.b.publish(2);
  CHECK(w.pulls("B", 2) == "1 2");
  CHECK(w.messages() == 2);
  CHECK(w.pulls("A", 1) == "1");
  w.ack("A", 1);
  CHECK(w.messages() == 1);
}

TEST_CASE("interest: with ack_policy all what lies before goes too") {
  retention_world w{storage(), "interest"};
  w.b.api("CONSUMER.CREATE.S.A",
          R"({"stream_name":"S","config":{"durable_name":"A","ack_policy":"all"}})");
  w.b.publish(4);
  CHECK(w.pulls("A", 4) == "1 2 3 4");
  w.ack("A", 3);
  CHECK(w.messages() == 1);
  CHECK(w.b.c.holds(4, "x"));
}

TEST_CASE("interest: a new consumer does not need what lies before its place") {
  retention_world w{storage(), "interest"};
  w.add("A");
  w.b.publish(2);
  w.add("B", R"(,"deliver_policy":"new")");
  CHECK(w.pulls("A", 2) == "1 2");
  w.ack("A", 1);
  w.ack("A", 2);
  CHECK(w.messages() == 0);
}

TEST_CASE("interest: who needs what is known again after a restart") {
  retention_world w{"file", "interest"};
  w.add("A");
  w.add("B");
  w.b.publish(3);
  CHECK(w.pulls("A", 3) == "1 2 3");
  CHECK(w.pulls("B", 3) == "1 2 3");
  w.ack("A", 1);
  w.ack("A", 3);
  w.ack("B", 2);
  w.world.restart_jetstream();
  w.b.heard();
  CHECK(w.messages() == 3);
  w.ack("B", 1);
  CHECK(w.messages() == 2);
  w.ack("A", 2);
  CHECK(w.messages() == 1);
  w.ack("B", 3);
  CHECK(w.messages() == 0);
}

TEST_CASE("interest: a consumer that goes by inactive_threshold frees what it needed") {
  retention_world w{storage(), "interest"};
  w.add("A");
  w.add("B", member("inactive_threshold", 2s));
  w.b.publish(1);
  CHECK(w.pulls("A", 1) == "1");
  w.ack("A", 1);
  CHECK(w.messages() == 1);
  w.b.wait(2300ms);
  CHECK(w.messages() == 0);
}

TEST_CASE("interest: more than one sweep looks at goes all the same") {
  retention_world w{"memory", "interest"};
  w.add("A");
  w.b.publish(5000);
  CHECK(w.messages() == 5000);
  w.b.api("CONSUMER.DELETE.S.A");
  CHECK(w.messages() == 0);
}

TEST_CASE("work queue: a message goes when it is acknowledged or terminated, not before") {
  retention_world w{storage(), "workqueue"};
  w.add("A", member("ack_wait", 1s));
  w.b.publish(3);
  CHECK(w.pulls("A", 3) == "1 2 3");
  CHECK(w.messages() == 3);
  w.ack("A", 2);
  w.ack("A", 3, "+TERM");
  CHECK(w.messages() == 1);
  w.b.wait(1200ms);
  CHECK(w.b.heard().empty());
  CHECK(w.pulls("A", 3) == "1#2");
  CHECK(w.b.confirmed(1) == true);
  CHECK(w.messages() == 0);
}

TEST_CASE("work queue: consumers may not want the same, and each takes its own away") {
  retention_world w{storage(), "workqueue"};
  w.add("A", R"(,"filter_subject":"s.a")");
  CHECK(error_in(w.try_add("B", R"(,"filter_subject":"s.*")")) == 10100);
  CHECK(error_in(w.try_add("B")) == 10099);
  w.add("B", R"(,"filter_subject":"s.b")");
  w.b.publish(1, "s.a");
  w.b.publish(1, "s.b");
  w.b.publish(1, "s.c");
  CHECK(w.pulls("A", 9) == "1");
  CHECK(w.pulls("B", 9) == "2");
  w.ack("A", 1);
  w.ack("B", 2);
  CHECK(w.messages() == 1);
}

TEST_CASE("work queue: what was acknowledged does not come back with a restart") {
  retention_world w{"file", "workqueue"};
  w.add("A");
  w.b.publish(3);
  CHECK(w.pulls("A", 2) == "1 2");
  w.ack("A", 1);
  w.world.restart_jetstream();
  w.b.heard();
  CHECK(w.messages() == 2);
  CHECK(w.pulls("A", 9) == "3");
  w.b.wait(30s);
  w.b.heard();
  CHECK(w.pulls("A", 9) == "2#2 3#2");
}

TEST_CASE("interest: a message that is given up stays until a late ack or the consumer's end") {
  std::string kind = storage();
  retention_world w{kind.c_str(), "interest"};
  w.add("A", R"(,"max_deliver":1)" + member("ack_wait", 1s));
  w.add("B");
  w.b.publish(3);
  CHECK(w.pulls("A", 3) == "1 2 3");
  CHECK(w.pulls("B", 3) == "1 2 3");
  w.b.wait(1200ms);
  for (uint64_t seq = 1; seq <= 3; ++seq) w.ack("B", seq);
  CHECK(w.messages() == 3);
  if (kind == "file") w.world.restart_jetstream();
  w.b.heard();
  w.ack("A", 2);
  CHECK(w.messages() == 2);
  CHECK(w.b.api("CONSUMER.DELETE.S.A").at("success") == true);
  CHECK(w.messages() == 0);
}

TEST_CASE("interest: one acknowledgement for all before it leaves what is given up") {
  retention_world w{storage(), "interest"};
  auto made = w.b.api("CONSUMER.CREATE.S.A", R"({"stream_name":"S","config":{"durable_name":"A",)"
                                             R"("ack_policy":"all","max_deliver":1)" +
                                                 member("ack_wait", 1s) + "}}");
  REQUIRE(error_in(made) == 0);
  w.b.publish(1);
  CHECK(w.pulls("A", 1) == "1");
  w.b.wait(1200ms);
  w.b.publish(2);
  w.b.heard();
  CHECK(w.pulls("A", 2) == "2 3");
  w.ack("A", 3);
  CHECK(w.messages() == 1);
}

TEST_CASE("work queue: a message that is given up stays in the stream") {
  retention_world w{storage(), "workqueue"};
  w.add("A", R"(,"max_deliver":1)" + member("ack_wait", 1s));
  w.b.publish(1);
  CHECK(w.pulls("A", 1) == "1");
  w.b.wait(1200ms);
  w.b.heard();
  CHECK(w.b.info("A").at("num_ack_pending") == 0);
  CHECK(w.messages() == 1);
  w.ack("A", 1);
  CHECK(w.messages() == 0);
}

TEST_CASE("limits: acknowledging takes nothing away") {
  retention_world w{storage(), "limits"};
  w.add("A");
  w.b.publish(2);
  CHECK(w.pulls("A", 2) == "1 2");
  w.ack("A", 1);
  w.ack("A", 2);
  w.b.wait(1s);
  CHECK(w.messages() == 2);
}

TEST_CASE(
    "retention: a stream that gets retention interest lets go of what consumers are done with") {
  retention_world w{storage(), "limits"};
  auto retain = [&w](const char* how) {
    CHECK(error_in(w.b.c.change(fmt::format(R"(,"retention":"{}")", how))) == 0);
    w.b.wait(200ms);
    w.b.heard();
    return w.messages();
  };
  w.add("A");
  w.b.publish(4);
  CHECK(w.pulls("A", 3) == "1 2 3");
  w.ack("A", 1);
  w.ack("A", 3);
  CHECK(retain("interest") == 2);
  w.ack("A", 2);
  CHECK(w.messages() == 1);
  CHECK(retain("limits") == 1);
  CHECK(w.pulls("A", 1) == "4");
  w.ack("A", 4);
  CHECK(w.messages() == 1);
  CHECK(retain("interest") == 0);
  w.b.publish(1);
  CHECK(w.pulls("A", 1) == "5");
  CHECK(w.messages() == 1);
  w.ack("A", 5);
  CHECK(w.messages() == 0);
}

TEST_CASE("retention: a stream without consumers that gets retention interest is emptied") {
  retention_world w{storage(), "limits"};
  w.b.publish(3);
  CHECK(error_in(w.b.c.change(R"(,"retention":"interest")")) == 0);
  CHECK(w.messages() == 0);
}

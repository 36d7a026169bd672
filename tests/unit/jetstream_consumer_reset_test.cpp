#include "jetstream_consumer_world.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

nlohmann::json reset(consumer_bench& b, std::string_view body = {}) {
  return b.api("CONSUMER.RESET.S.C", body);
}

nlohmann::json pair(uint64_t consumer, uint64_t stream) {
  return {{"consumer_seq", consumer}, {"stream_seq", stream}};
}

}  // namespace

TEST_CASE("consumer: what was to be delivered again comes as new after a reset") {
  jetstream_world world;
  consumer_bench b{world};
  b.c.make(GENERATE("memory", "file"));
  b.make(R"(,"ack_wait":1000000000,"max_deliver":2)");
  b.publish(3);
  CHECK(b.pulls("3") == "1 2 3");
  b.wait(1100ms);
  CHECK(b.pulls("1") == "1#2");
  CHECK(reset(b).at("num_redelivered") == 0);
  CHECK(b.pulls("3") == "1 2 3");
  CHECK(b.info().at("delivered").at("consumer_seq") == 3);
}

TEST_CASE("consumer: a pull request that waits gets messages from where the consumer begins anew") {
  jetstream_world world;
  consumer_bench b{world};
  b.c.make("memory");
  b.make(R"(,"ack_policy":"none")");
  b.publish(4);
  CHECK(b.pulls("4") == "1 2 3 4");
  b.next(R"({"batch":2,"expires":60000000000})");
  b.c.tell("$JS.API.CONSUMER.RESET.S.C", R"({"seq":2})", {}, "P");
  world.settle();
  CHECK(b.heard() == "2 3");
}

TEST_CASE("consumer: after a reset nothing of what was stored before it comes back") {
  jetstream_world world;
  consumer_bench b{world};
  b.c.make("file");
  b.make(R"(,"max_ack_pending":2000)");
  b.publish(1500);  // its state is so large that changes of it are stored apart
  b.pulls("1500");
  b.wait(1s);
  for (uint64_t seq = 1; seq <= 20; ++seq) CHECK(b.confirmed(seq));
  auto begins = GENERATE(uint64_t{0}, uint64_t{700}, uint64_t{9000});
  auto answer = reset(b, begins == 0 ? "" : fmt::format(R"({{"seq":{}}})", begins));
  auto expected = begins == 0 ? 21 : begins;
  CHECK(answer.at("reset_seq") == expected);
  world.restart_jetstream();
  auto info = b.info();
  CHECK(info.at("delivered") == pair(0, expected - 1));
  CHECK(info.at("ack_floor") == pair(0, expected - 1));
  CHECK(info.at("num_ack_pending") == 0);
  CHECK(info.at("num_pending") == (expected > 1500 ? 0 : 1501 - expected));
}

TEST_CASE("consumer: who resets is told if it could not be stored") {
  fragile_store store;
  jetstream_world world{"S", "s.>", store.lent()};
  consumer_bench b{world};
  b.make();
  b.publish(2);
  CHECK(b.pulls("2") == "1 2");
  CHECK(b.confirmed(1));
  store.fail(store_errc::io_error);
  CHECK(error_in(reset(b)) == 10077);
  CHECK(b.heard_after(3s).empty());
  store.mend();
  CHECK(b.heard_after(3s).empty());
  CHECK(reset(b).at("reset_seq") == 2);
  CHECK(b.pulls("2") == "2");
}

TEST_CASE("interest: a consumer that begins anew needs what is there, and nothing before it") {
  jetstream_world world;
  consumer_bench b{world};
  b.c.make(GENERATE("memory", "file"), R"(,"retention":"interest")");
  b.make();
  b.publish(6);
  CHECK(b.pulls("6") == "1 2 3 4 5 6");
  b.answer(2);
  world.settle();
  CHECK(b.c.state().at("messages") == 5);
  CHECK(reset(b, R"({"seq":1})").at("num_pending") == 5);
  b.wait(1s);
  CHECK(b.c.state().at("messages") == 5);
  CHECK(reset(b, R"({"seq":5})").at("num_pending") == 2);
  b.wait(1s);
  CHECK(b.c.state().at("messages") == 2);
  CHECK(b.pulls("2") == "5 6");
  b.answer(5);
  b.answer(6);
  world.settle();
  CHECK(b.c.state().at("messages") == 0);
}

TEST_CASE("consumer: one that is deleted while it begins anew leaves no request unanswered") {
  jetstream_world world;
  consumer_bench b{world};
  b.c.make("file");
  b.make();
  b.publish(3);
  CHECK(b.pulls("3") == "1 2 3");
  for (int i = 0; i < 3; ++i) b.c.tell("$JS.API.CONSUMER.RESET.S.C", {}, {}, "R.reset");
  b.c.tell("$JS.API.CONSUMER.DELETE.S.C", {}, {}, "R.delete");
  world.settle();
  size_t answered = 0;
  for (const auto& m : b.c.messages())
    answered += m.subject == "R.reset" || m.subject == "R.delete";
  CHECK(answered == 4);
}

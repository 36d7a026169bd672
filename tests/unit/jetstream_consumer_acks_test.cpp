#include "jetstream_consumer_world.hpp"

#include <catch2/catch.hpp>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

const char* storage() {
  return GENERATE("memory", "file");
}

struct acks_world {
  jetstream_world world;
  consumer_bench b{world};

  explicit acks_world(std::string_view consumer = {}, const char* kind = "memory",
                      std::string_view stream = {}) {
    b.c.make(kind, stream);
    b.make(consumer);
  }
};

struct fragile_world {
  fragile_store store;
  jetstream_world world{"S", "s.>", store.lent()};
  consumer_bench b{world};
};

}  // namespace

TEST_CASE("consumer: what is not acknowledged within ack_wait is delivered again") {
  acks_world w{member("ack_wait", 2s), storage()};
  w.b.publish(2);
  CHECK(w.b.pulls("10") == "1 2");
  w.b.answer(1);
  CHECK(w.b.heard_after(1900ms).empty());
  CHECK(w.b.heard_after(300ms) == "2#2");
  CHECK(w.b.heard_after(2200ms) == "2#3");
  auto info = w.b.info();
  CHECK(info.at("num_ack_pending") == 1);
  CHECK(info.at("num_redelivered") == 1);
  CHECK(info.at("ack_floor").at("stream_seq") == 1);
  CHECK(info.at("delivered").at("consumer_seq") == 4);
}

TEST_CASE("consumer: what has expired goes out although nothing is stored of its consumer") {
  acks_world w{R"(,"mem_storage":true)" + member("ack_wait", 2s), storage()};
  w.b.publish(1);
  CHECK(w.b.pulls("10") == "1");
  CHECK(w.b.heard_after(2100ms) == "1#2");
  w.b.answer(1, "-NAK 3s");
  CHECK(w.b.heard_after(3100ms) == "1#3");
}

TEST_CASE("consumer: what has expired goes out at once, not when that is stored") {
  acks_world w{member("ack_wait", 2s), storage()};
  w.b.publish(1);
  CHECK(w.b.pulls("10") == "1");
  CHECK(w.b.heard_after(2000ms) == "1#2");
}

TEST_CASE("consumer: backoff gives each delivery its own time, the last one for all that follow") {
  acks_world w{R"(,"max_deliver":5,"backoff":[1000000000,3000000000])"};
  w.b.publish(1);
  CHECK(w.b.pulls("10") == "1");
  CHECK(w.b.heard_after(800ms).empty());
  CHECK(w.b.heard_after(300ms) == "1#2");
  CHECK(w.b.heard_after(2700ms).empty());
  CHECK(w.b.heard_after(300ms) == "1#3");
  CHECK(w.b.heard_after(2700ms).empty());
  CHECK(w.b.heard_after(300ms) == "1#4");
}

TEST_CASE("consumer: -NAK delivers again at once, ahead of what is new") {
  acks_world w{{}, storage()};
  w.b.publish(3);
  CHECK(w.b.pulls("2") == "1 2");
  w.b.answer(1, "-NAK");
  CHECK(w.b.pulls("2") == "1#2 3");
}

TEST_CASE("consumer: -NAK with a delay delivers again after it, in both ways to write it") {
  acks_world w{member("ack_wait", 60s)};
  const auto* with = GENERATE("-NAK {\"delay\":5000000000}", "-NAK 5s");
  w.b.publish(1);
  CHECK(w.b.pulls("10") == "1");
  w.b.answer(1, with);
  CHECK(w.b.heard_after(4900ms).empty());
  CHECK(w.b.heard_after(300ms) == "1#2");
}

TEST_CASE("consumer: +WPI starts ack_wait again, as often as it comes") {
  acks_world w{member("ack_wait", 2s)};
  w.b.publish(1);
  CHECK(w.b.pulls("10") == "1");
  for (int i = 0; i < 4; ++i) {
    CHECK(w.b.heard_after(1500ms).empty());
    w.b.answer(1, "+WPI");
  }
  CHECK(w.b.heard_after(2200ms) == "1#2");
}

TEST_CASE("consumer: +TERM ends a message, and an advisory says why") {
  acks_world w{member("ack_wait", 1s)};
  w.b.c.hear("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>", 2);
  w.b.publish(1);
  CHECK(w.b.pulls("10") == "1");
  w.b.answer(1, "+TERM it is broken");
  CHECK(w.b.heard() == "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.S.C");
  auto told =
      nlohmann::json::parse(w.b.last("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.S.C").payload);
  CHECK(told.at("stream_seq") == 1);
  CHECK(told.at("reason") == "it is broken");
  CHECK(w.b.heard_after(5s).empty());
  CHECK(w.b.info().at("num_ack_pending") == 0);
}

TEST_CASE("consumer: +NXT acknowledges and asks for the next message") {
  acks_world w;
  w.b.publish(3);
  CHECK(w.b.pulls() == "1");
  w.b.answer(1, "+NXT", "R.m");
  CHECK(w.b.heard() == "2");
  w.b.answer(2, R"(+NXT {"batch":2,"no_wait":true})", "R.m");
  CHECK(w.b.heard() == "3 <404 No Messages>");
  CHECK(w.b.info().at("num_ack_pending") == 1);
}

TEST_CASE("consumer: after max_deliver a message is given up, with one advisory") {
  acks_world w{member("ack_wait", 1s) + R"(,"max_deliver":2)"};
  w.b.c.hear("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>", 2);
  const auto* subject = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.S.C";
  w.b.publish(1);
  CHECK(w.b.pulls("10") == "1");
  CHECK(w.b.heard_after(1200ms) == "1#2");
  CHECK(w.b.heard_after(1200ms) == subject);
  auto told = nlohmann::json::parse(w.b.last(subject).payload);
  CHECK(told.at("type") == "io.nats.jetstream.advisory.v1.max_deliver");
  CHECK(told.at("stream_seq") == 1);
  CHECK(told.at("deliveries") == 2);
  CHECK(w.b.heard_after(10s).empty());
  CHECK(w.b.info().at("num_ack_pending") == 0);
  w.b.publish(1);
  CHECK(w.b.heard() == "2");
}

TEST_CASE("consumer: -NAK of the last delivery gives the message up at once") {
  acks_world w{R"(,"max_deliver":1)"};
  w.b.c.hear("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>", 2);
  w.b.publish(1);
  CHECK(w.b.pulls("10") == "1");
  w.b.answer(1, "-NAK");
  CHECK(w.b.heard() == "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.S.C");
}

TEST_CASE("consumer: max_ack_pending stops new messages until one is acknowledged") {
  acks_world w{R"(,"max_ack_pending":2)", storage()};
  w.b.publish(5);
  CHECK(w.b.pulls("10") == "1 2");
  CHECK(w.b.pulls(R"({"batch":1,"no_wait":true})") == "<408 Requests Pending>");
  w.b.answer(2);
  CHECK(w.b.heard() == "3");
  w.b.answer(1, "+TERM");
  CHECK(w.b.heard() == "4");
  auto info = w.b.info();
  CHECK(info.at("num_ack_pending") == 2);
  CHECK(info.at("num_pending") == 1);
}

TEST_CASE("consumer: at max_ack_pending what is due again goes out all the same") {
  acks_world w{R"(,"max_ack_pending":1)" + member("ack_wait", 1s)};
  w.b.publish(2);
  CHECK(w.b.pulls("10") == "1");
  CHECK(w.b.heard_after(1200ms) == "1#2");
  w.b.answer(1);
  CHECK(w.b.heard() == "2");
}

TEST_CASE("consumer: with ack_policy all an acknowledgement takes in all before it") {
  acks_world w{R"(,"ack_policy":"all")" + member("ack_wait", 2s), storage()};
  w.b.publish(5);
  CHECK(w.b.pulls("10") == "1 2 3 4 5");
  w.b.answer(3);
  auto info = w.b.info();
  CHECK(info.at("num_ack_pending") == 2);
  CHECK(info.at("ack_floor").at("stream_seq") == 3);
  CHECK(info.at("ack_floor").at("consumer_seq") == 3);
  CHECK(w.b.heard_after(2200ms) == "4#2 5#2");
  w.b.answer(5);
  CHECK(w.b.info().at("num_ack_pending") == 0);
}

TEST_CASE("consumer: with ack_policy none nothing is pending and nothing comes again") {
  acks_world w{R"(,"ack_policy":"none")", storage()};
  w.b.publish(2);
  CHECK(w.b.pulls("10") == "1 2");
  CHECK(w.b.heard_after(40s).empty());
  auto info = w.b.info();
  CHECK(info.at("num_ack_pending") == 0);
  CHECK(info.at("ack_floor").at("stream_seq") == 2);
}

TEST_CASE("consumer: a repeated acknowledgement changes nothing and is answered the same") {
  acks_world w{{}, storage()};
  w.b.publish(2);
  CHECK(w.b.pulls("10") == "1 2");
  CHECK(w.b.confirmed(1));
  auto before = w.b.info();
  CHECK(w.b.confirmed(1));
  CHECK(w.b.confirmed(1, "-NAK"));
  CHECK(w.b.confirmed(1, "+WPI"));
  CHECK(w.b.confirmed(1, "+TERM"));
  auto after = w.b.info();
  before.erase("ts");
  after.erase("ts");
  CHECK(before == after);
  CHECK(w.b.heard().empty());
}

TEST_CASE("consumer: a superseded delivery is acknowledged late, but not put off or given back") {
  acks_world w{member("ack_wait", 2s), storage()};
  w.b.publish(1);
  CHECK(w.b.pulls("10") == "1");
  CHECK(w.b.heard_after(2200ms) == "1#2");
  for (const auto* with : {"-NAK", "+WPI"}) {
    w.b.answer_delivery(1, 1, 1, with, "R.ack");
    CHECK(w.b.heard() == "R.ack");
    CHECK(w.b.info().at("num_ack_pending") == 1);
  }
  // Whoever acknowledges has done the work; what is answered must not come again.
  w.b.answer_delivery(1, 1, 1, GENERATE("+ACK", "+TERM"), "R.ack");
  CHECK(w.b.heard() == "R.ack");
  CHECK(w.b.info().at("num_ack_pending") == 0);
  CHECK(w.b.confirmed(1));
}

TEST_CASE("consumer: an acknowledgement of what was never delivered is not answered") {
  acks_world w;
  w.b.publish(2);
  CHECK(w.b.pulls() == "1");
  w.b.answer_delivery(2, 2, 1, "+ACK", "R.ack");
  w.b.answer_delivery(0, 0, 1, "+ACK", "R.ack");
  w.b.answer_delivery(77, 1, 1, "+ACK", "R.ack");
  CHECK(w.b.heard().empty());
  CHECK(w.b.info().at("num_ack_pending") == 1);
  CHECK(w.b.pulls() == "2");
}

TEST_CASE("consumer: what is no acknowledgement is passed over") {
  acks_world w;
  w.b.publish(1);
  CHECK(w.b.pulls() == "1");
  w.b.answer(1, "+WHAT", "R.ack");
  w.world.settle();
  CHECK(w.b.heard() == "R.ack");  // as nats-server answers
  CHECK(w.b.info().at("num_ack_pending") == 1);
  w.b.c.tell("$JS.ACK.S.C.1.x.1.0.0", "+ACK", {}, "R.ack");
  w.b.c.tell("$JS.ACK.S.C.1", "+ACK", {}, "R.ack");
  w.b.c.tell("$JS.ACK.S.C.1.99999999999999999999.1.0.0", "+ACK", {}, "R.ack");
  w.world.settle();
  CHECK(w.b.heard().empty());
  CHECK(w.b.info().at("num_ack_pending") == 1);
}

TEST_CASE("consumer: what it is done with is told a stopped store every second, not all the time") {
  fragile_world f;
  auto changed = R"({"name":"S","subjects":["s.>"],"retention":"interest"})";
  REQUIRE(error_in(f.b.api("STREAM.UPDATE.S", changed)) == 0);
  f.b.make();
  f.b.publish(2);
  CHECK(f.b.pulls("2") == "1 2");
  f.store.fail(store_errc::io_error);
  auto before = f.store.appends;
  f.b.answer(1);
  f.b.wait(3s);
  CHECK(f.store.appends - before <= 8);
  f.store.mend();
  f.b.wait(3s);
  CHECK(f.b.c.state().at("messages") == 1);
  CHECK(f.b.info().at("ack_floor").at("stream_seq") == 1);
}

TEST_CASE("consumer: an acknowledgement is answered when it is stored, and not while it is not") {
  fragile_world f;
  f.b.make();
  f.b.publish(2);
  CHECK(f.b.pulls("2") == "1 2");
  CHECK(f.b.confirmed(1));
  f.store.fail(store_errc::io_error);
  CHECK_FALSE(f.b.confirmed(2));
  CHECK(f.b.heard_after(3s).empty());
  f.store.mend();
  CHECK(f.b.heard_after(3s).empty());
  CHECK(f.b.confirmed(2));
  CHECK(f.b.info().at("num_ack_pending") == 0);
}

TEST_CASE("consumer: a terminated or exhausted message goes to the dead letter subject") {
  acks_world w{R"(,"max_deliver":1,"metadata":{"vagus.dead_letter_subject":"dead"})" +
               member("ack_wait", 1s)};
  w.b.c.hear("dead", 2);
  w.b.publish(2);
  CHECK(w.b.pulls("2") == "1 2");
  w.b.answer(1, "+TERM why");
  CHECK(w.b.heard() == "dead");
  CHECK(w.b.last("dead").headers.find("Vagus-Dead-Letter-Reason: why\r\n") != std::string::npos);
  CHECK(w.b.last("dead").payload == "x");
  CHECK(w.b.heard_after(1200ms) == "dead");
  CHECK(w.b.last("dead").headers.find("Vagus-Dead-Letter-Cause: max_deliver\r\n") !=
        std::string::npos);
}

TEST_CASE("consumer: sample_freq 100 reports every acknowledgement with the time that it took") {
  acks_world w{R"(,"sample_freq":"100")"};
  w.b.c.hear("$JS.EVENT.METRIC.>", 2);
  w.b.publish(1);
  CHECK(w.b.pulls("2") == "1");
  w.b.wait(3s);
  w.b.answer(1);
  CHECK(w.b.heard() == "$JS.EVENT.METRIC.CONSUMER.ACK.S.C");
  auto told = nlohmann::json::parse(w.b.last("$JS.EVENT.METRIC.CONSUMER.ACK.S.C").payload);
  CHECK(told.at("ack_time") == 3'000'000'000);
}

TEST_CASE("consumer: the time of a sample begins with the delivery, not with the message") {
  acks_world w{R"(,"sample_freq":"100")"};
  w.b.c.hear("$JS.EVENT.METRIC.>", 2);
  w.b.publish(1);
  w.b.wait(5s);
  CHECK(w.b.pulls("1") == "1");
  w.b.wait(2s);
  w.b.answer(1);
  w.b.answer(1);
  CHECK(w.b.heard() == "$JS.EVENT.METRIC.CONSUMER.ACK.S.C");
  auto told = nlohmann::json::parse(w.b.last("$JS.EVENT.METRIC.CONSUMER.ACK.S.C").payload);
  CHECK(told.at("ack_time") == 2'000'000'000);
}

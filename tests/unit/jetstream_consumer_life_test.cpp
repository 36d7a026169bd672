#include "jetstream_consumer_world.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

const char* storage() {
  return GENERATE("memory", "file");
}

struct life_world {
  jetstream_world world;
  consumer_bench b{world};

  explicit life_world(const char* kind = "file", std::string_view consumer = {}) {
    b.c.make(kind);
    b.make(consumer);
  }
};

}  // namespace

// ---- restarts ----

TEST_CASE("consumer: after a restart what was acknowledged stays so, the rest comes again") {
  life_world w{"file", member("ack_wait", 2s)};
  w.b.publish(5);
  CHECK(w.b.pulls("4") == "1 2 3 4");
  CHECK(w.b.confirmed(1));
  CHECK(w.b.confirmed(3));
  w.world.restart_jetstream();
  auto info = w.b.info();
  CHECK(info.at("ack_floor").at("stream_seq") == 1);
  CHECK(info.at("num_ack_pending") == 2);
  CHECK(info.at("num_pending") == 1);
  CHECK(info.at("delivered").at("consumer_seq") == 4);
  CHECK(w.b.pulls("9") == "5");
  CHECK(w.b.last("5").reply.starts_with("$JS.ACK.S.C.1.5.5."));
  CHECK(w.b.heard_after(2200ms) == "2#2 4#2 5#2");
}

TEST_CASE("consumer: what has expired while the server was down comes at once") {
  life_world w{"file", member("ack_wait", 2s)};
  w.b.publish(2);
  CHECK(w.b.pulls("2") == "1 2");
  w.world.stop_jetstream();
  w.b.wait(3s);
  w.world.restart_jetstream();
  w.b.next("2");
  CHECK(w.b.heard_after(200ms) == "1#2 2#2");
}

TEST_CASE("consumer: an acknowledgement that nobody waited for is stored when the server stops") {
  life_world w{"file", member("ack_wait", 2s)};
  w.b.publish(2);
  CHECK(w.b.pulls("2") == "1 2");
  w.b.answer(1);
  w.world.restart_jetstream();
  CHECK(w.b.info().at("ack_floor").at("stream_seq") == 1);
}

TEST_CASE("consumer: a pull that waits is told of the server's end") {
  life_world w;
  w.b.next("1");
  w.world.restart_jetstream();
  CHECK(w.b.heard() == "<409 Server Shutdown>");
  CHECK(w.b.info().at("num_waiting") == 0);
}

TEST_CASE(
    "consumer: restarted again and again it delivers each message once that is acknowledged") {
  life_world w;
  for (int round = 0; round < 5; ++round) {
    w.b.publish(3);
    for (int i = 1; i <= 3; ++i) {
      auto seq = round * 3 + i;
      CHECK(w.b.pulls() == std::to_string(seq));
      CHECK(w.b.confirmed(static_cast<uint64_t>(seq)));
    }
    w.world.restart_jetstream();
    w.b.heard();
  }
  auto info = w.b.info();
  CHECK(info.at("delivered").at("consumer_seq") == 15);
  CHECK(info.at("ack_floor").at("consumer_seq") == 15);
  CHECK(info.at("num_pending") == 0);
}

TEST_CASE("consumer: the time of its creation and its configuration outlive a restart") {
  life_world w{"file", R"(,"filter_subjects":["s.a","s.b"],"max_deliver":7,"description":"d")"};
  w.b.wait(5s);
  auto before = w.b.info();
  w.world.restart_jetstream();
  auto after = w.b.info();
  CHECK(before.at("created") == after.at("created"));
  CHECK(before.at("config") == after.at("config"));
}

TEST_CASE("consumer: one of last_per_subject goes on after a restart where it was") {
  jetstream_world world;
  consumer_bench b{world};
  b.c.make("file");
  for (const auto* subject : {"s.a", "s.b", "s.c", "s.a", "s.b"}) b.publish(1, subject);
  b.make(R"(,"deliver_policy":"last_per_subject","filter_subject":"s.>")");
  CHECK(b.pulls() == "3");
  CHECK(b.confirmed(3));
  world.restart_jetstream();
  b.publish(1, "s.d");
  CHECK(b.pulls("9") == "4 5 6");
}

TEST_CASE("consumer: with mem_storage it is gone after a restart, its stream is not") {
  life_world w{"file", R"(,"mem_storage":true)"};
  w.b.publish(1);
  CHECK(w.b.pulls() == "1");
  CHECK(w.b.confirmed(1));
  w.world.restart_jetstream();
  CHECK_FALSE(w.b.exists());
  CHECK(w.b.c.state().at("consumer_count") == 0);
}

// ---- deletion ----

TEST_CASE("consumer: its deletion ends every pull request, and all that it was") {
  life_world w{storage()};
  w.b.publish(1);
  CHECK(w.b.pulls() == "1");
  w.b.next("5");
  w.b.next(R"({"batch":1,"expires":5000000000,"idle_heartbeat":1000000000})");
  CHECK(w.b.api("CONSUMER.DELETE.S.C").at("success") == true);
  CHECK(w.b.heard() == "<409 Consumer Deleted> <409 Consumer Deleted>");
  CHECK(error_in(w.b.info()) == 10014);
  CHECK(w.b.pulls() == "<503>");
  CHECK(w.b.c.state().at("consumer_count") == 0);
  w.b.answer(1, "+ACK", "R.ack");
  CHECK(w.b.heard() == "<503>");
}

TEST_CASE("consumer: deleted and made again it begins anew") {
  life_world w{storage()};
  w.b.publish(2);
  CHECK(w.b.pulls("2") == "1 2");
  CHECK(w.b.confirmed(1));
  for (int round = 0; round < 3; ++round) {
    w.b.api("CONSUMER.DELETE.S.C");
    w.b.make();
    auto info = w.b.info();
    CHECK(info.at("delivered").at("consumer_seq") == 0);
    CHECK(info.at("num_pending") == 2);
    CHECK(w.b.pulls("2") == "1 2");
  }
}

TEST_CASE("consumer: a deleted one does not come back with a restart") {
  life_world w;
  w.b.publish(2);
  CHECK(w.b.pulls("2") == "1 2");
  CHECK(w.b.confirmed(1));
  w.b.api("CONSUMER.DELETE.S.C");
  w.world.restart_jetstream();
  CHECK_FALSE(w.b.exists());
  w.b.make();
  CHECK(w.b.pulls("2") == "1 2");
}

TEST_CASE("consumer: deleting the stream ends its pull requests") {
  life_world w{storage()};
  w.b.next("5");
  CHECK(w.b.api("STREAM.DELETE.S").at("success") == true);
  CHECK(w.b.heard() == "<409 Consumer Deleted>");
}

TEST_CASE("consumer: requests that come together with its deletion are all answered") {
  life_world w{storage()};
  auto ask = [&](std::string_view what, std::string_view body = {}) {
    w.b.c.tell(fmt::format("$JS.API.CONSUMER.{}", what), body, {}, "R.some");
  };
  const auto* config = R"({"stream_name":"S","config":{"durable_name":"C","ack_policy":"none"}})";
  ask("DELETE.S.C");
  ask("INFO.S.C");
  ask("DELETE.S.C");
  ask("CREATE.S.C", config);
  ask("INFO.S.C");
  ask("PAUSE.S.C", R"({"pause_until":"2027-01-01T00:00:00Z"})");
  w.world.settle();
  CHECK(w.b.c.answers().size() == 6);
  CHECK(w.b.info().at("config").at("ack_policy") == "none");
}

// ---- changes ----

TEST_CASE("consumer: another filter holds from the next message on, and num_pending with it") {
  life_world w{storage(), R"(,"filter_subject":"s.a")"};
  for (int i = 0; i < 3; ++i) {
    w.b.publish(1, "s.a");
    w.b.publish(1, "s.b");
  }
  CHECK(w.b.pulls() == "1");
  CHECK(w.b.info().at("num_pending") == 2);
  CHECK(error_in(w.b.update(R"(,"filter_subject":"s.b")")) == 0);
  CHECK(w.b.info().at("num_pending") == 3);
  CHECK(w.b.pulls("3") == "2 4 6");
}

TEST_CASE("consumer: a longer ack_wait moves the time of what is pending") {
  life_world w{storage(), member("ack_wait", 2s)};
  w.b.publish(1);
  CHECK(w.b.pulls("5") == "1");
  CHECK(error_in(w.b.update(member("ack_wait", 5s))) == 0);
  CHECK(w.b.heard_after(4800ms).empty());
  CHECK(w.b.heard_after(400ms) == "1#2");
}

TEST_CASE("consumer: more max_ack_pending lets more out at once") {
  life_world w{storage(), R"(,"max_ack_pending":1)"};
  w.b.publish(4);
  CHECK(w.b.pulls("9") == "1");
  CHECK(error_in(w.b.update(R"(,"max_ack_pending":3)")) == 0);
  CHECK(w.b.heard() == "2 3");
}

TEST_CASE("consumer: LIST and NAMES tell of all, in one answer") {
  jetstream_world world{{}, 2};
  consumer_bench b{world};
  b.c.make("memory");
  for (int i = 0; i < 10; ++i)
    b.api(fmt::format("CONSUMER.CREATE.S.c{}", i),
          fmt::format(R"({{"stream_name":"S","config":{{"durable_name":"c{}"}}}})", i));
  auto list = b.api("CONSUMER.LIST.S", R"({"offset":3})");
  CHECK(list.at("total") == 10);
  REQUIRE(list.at("consumers").size() == 7);
  CHECK(list.at("consumers")[0].at("name") == "c3");
  CHECK(b.api("CONSUMER.NAMES.S").at("consumers").size() == 10);
}

// ---- two loops ----

TEST_CASE("consumer: consumers on two loops deliver to clients on both") {
  jetstream_world world{{}, 2};
  consumer_bench one{world, 0};
  consumer_bench two{world, 1};
  one.c.make(storage());
  one.make(member("ack_wait", 1s));
  for (int i = 0; i < 4; ++i)
    one.api(fmt::format("CONSUMER.CREATE.S.c{}", i),
            fmt::format(R"({{"stream_name":"S","config":{{"durable_name":"c{}"}}}})", i));
  one.publish(3);
  two.publish(3);
  two.heard();
  for (int i = 0; i < 4; ++i) {
    two.c.tell(fmt::format("$JS.API.CONSUMER.MSG.NEXT.S.c{}", i), "6", {}, "R.m");
    world.settle();
    CHECK(one.heard() == "1 2 3 4 5 6");
    CHECK(two.heard() == "1 2 3 4 5 6");
  }
}

TEST_CASE("consumer: two clients on two loops share its messages, and acknowledge each its own") {
  jetstream_world world{{}, 2};
  consumer_bench one{world, 0};
  consumer_bench two{world, 1};
  one.c.make(storage());
  one.make(member("ack_wait", 1s));
  one.c.hear("one", 2);
  two.c.hear("two", 2);
  one.publish(6);
  one.next("3", "one");
  CHECK(one.heard() == "1 2 3");
  two.heard();
  two.next("3", "two");
  CHECK(two.heard() == "4 5 6");
  two.answer(4, "-NAK");
  one.answer(1);
  one.answer(2);
  one.answer(3);
  one.next("1", "one");
  CHECK(one.heard() == "4#2");
  two.answer(5, "+ACK", "two");
  CHECK(two.heard() == "two");
  auto info = one.info();
  CHECK(info.at("num_ack_pending") == 2);
  CHECK(info.at("ack_floor").at("stream_seq") == 3);
}

TEST_CASE("consumer: consumers on two loops are as they were after a restart") {
  jetstream_world world{{}, 2};
  consumer_bench b{world};
  b.c.make("file");
  b.publish(4);
  for (int i = 0; i < 4; ++i)
    b.api(fmt::format("CONSUMER.CREATE.S.c{}", i),
          fmt::format(R"({{"stream_name":"S","config":{{"durable_name":"c{}"}}}})", i));
  for (int i = 0; i < 4; ++i) {
    b.c.tell(fmt::format("$JS.API.CONSUMER.MSG.NEXT.S.c{}", i), std::to_string(i + 1), {}, "R.m");
    world.settle();
  }
  b.heard();
  world.restart_jetstream();
  for (int i = 0; i < 4; ++i)
    CHECK(b.info(fmt::format("c{}", i)).at("delivered").at("stream_seq") == i + 1);
}

// ---- a store that refuses ----

TEST_CASE("consumer: creating and changing one is refused while the store refuses") {
  fragile_store store;
  jetstream_world world{"S", "s.>", store.lent()};
  consumer_bench b{world};
  b.make();
  store.fail(store_errc::io_error);
  CHECK(error_in(b.api("CONSUMER.CREATE.S.D",
                       R"({"stream_name":"S","config":{"durable_name":"D"}})")) == 10077);
  CHECK(error_in(b.update(R"(,"max_deliver":3)")) == 10077);
  CHECK(b.info().at("config").at("max_deliver") == -1);
  CHECK(error_in(b.info("D")) == 10014);
  store.mend();
  b.wait(2s);
  CHECK(error_in(b.update(R"(,"max_deliver":3)")) == 0);
}

TEST_CASE("consumer: what became overdue while the server was down is due at the start") {
  jetstream_world world;
  consumer_bench b{world};
  b.c.make("file");
  b.make(member("ack_wait", 1s) + R"(,"max_deliver":2)");
  b.publish(1);
  CHECK(b.pulls("1") == "1");
  b.wait(1200ms);
  CHECK(b.pulls("1") == "1#2");
  b.publish(1);
  CHECK(b.pulls("1") == "2");
  world.stop_jetstream();
  world.advance(5s);
  world.restart_jetstream();
  b.heard();
  CHECK(b.info().at("num_ack_pending") == 1);
  CHECK(b.pulls(R"({"batch":2,"no_wait":true})") == "2#2 <404 No Messages>");
}

TEST_CASE("consumer: what is overdue comes to a request that does not wait for the next tick") {
  jetstream_world world;
  consumer_bench b{world};
  b.c.make("memory");
  b.make(member("ack_wait", 1s));
  b.publish(1);
  b.wait(50ms);  // between two ticks
  CHECK(b.pulls("1") == "1");
  b.wait(900ms);
  CHECK(b.pulls(R"({"batch":1,"no_wait":true})") == "<404 No Messages>");
  b.wait(100ms);
  CHECK(b.pulls(R"({"batch":1,"no_wait":true})") == "1#2");
}

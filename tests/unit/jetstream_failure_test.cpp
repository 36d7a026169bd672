#include "jetstream_consumer_world.hpp"

#include <catch2/catch.hpp>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

struct fragile_world {
  fragile_store store;
  jetstream_world world{"S", "s.>", store.lent()};
  asker c{world};
};

}  // namespace

TEST_CASE("stream: while its store refuses every publisher is told, and reading goes on") {
  fragile_world f;
  CHECK(f.c.ask("s.a", "one") == acked(1));
  f.store.fail(store_errc::io_error);
  CHECK(error_in(f.c.ask("s.a", "two")) == 10077);
  CHECK(error_in(f.c.ask("s.a", "three")) == 10077);
  CHECK(f.c.holds(1, "one"));
  CHECK(f.c.state().at("messages") == 1);
}

TEST_CASE("stream: a full disk is told as insufficient storage") {
  fragile_world f;
  f.store.fail(store_errc::no_space);
  CHECK(error_in(f.c.ask("s.a", "x")) == 10047);
}

TEST_CASE("stream: once its store can be written again the stream goes on by itself") {
  fragile_world f;
  f.store.fail(store_errc::io_error);
  CHECK(error_in(f.c.ask("s.a", "x")) == 10077);
  f.world.advance(3s);
  CHECK(f.store.retries >= 2);
  CHECK(error_in(f.c.ask("s.a", "x")) == 10077);
  f.store.mend();
  f.world.advance(2s);
  CHECK(f.c.ask("s.a", "x") == acked(1));
  auto retries = f.store.retries;
  f.world.advance(5s);
  CHECK(f.store.retries == retries);
}

TEST_CASE("stream: purge, delete and update of a stream whose store refuses are told so") {
  fragile_world f;
  f.c.ask("s.a", "x");
  f.store.fail(store_errc::io_error);
  f.c.ask("s.a", "x");
  CHECK(error_in(f.c.api("STREAM.PURGE.S")) != 0);
  CHECK(error_in(f.c.api("STREAM.MSG.DELETE.S", R"({"seq":1})")) != 0);
  auto update = f.c.api("STREAM.UPDATE.S", R"({"name":"S","subjects":["s.>","t"]})");
  CHECK(error_in(update) == 10069);
  CHECK(f.c.holds(1, "x"));
  f.store.mend();
  f.world.advance(2s);
  CHECK(f.c.api("STREAM.PURGE.S").at("purged") == 1);
}

TEST_CASE("stream: what is refused with a whole batch is not republished and does not count") {
  fragile_world f;
  f.store.fail(store_errc::io_error);
  f.c.tell("s.a", "x", header("Nats-Msg-Id", "one"), "R.1");
  f.c.tell("s.a", "y", {}, "R.2");
  f.world.settle();
  CHECK(f.c.answers().size() == 2);
  f.store.mend();
  f.world.advance(2s);
  CHECK(f.c.ask("s.a", "x", header("Nats-Msg-Id", "one")) == acked(1));
}

TEST_CASE("consumer: one whose stored state is damaged while it rests cannot be read") {
  fragile_store store;
  jetstream_world world{"S", "s.>", store.lent()};
  consumer_bench b{world};
  b.make();
  store.overwrite("C.0", "no row of a consumer");
  CHECK(b.pulls("1") == "<503 Consumer Not Readable>");
  CHECK(error_in(b.c.api("CONSUMER.INFO.S.C")) != 0);
}

#include "jetstream_world.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace vagus;

namespace {

const char* storage() {
  return GENERATE("memory", "file");
}

}  // namespace

TEST_CASE("stream: a stored message gets the next sequence, and is what is read") {
  jetstream_world w;
  asker c{w};
  c.make(storage());
  CHECK(c.ask("s.a", "one") == acked(1));
  CHECK(c.ask("s.b", "two") == acked(2));
  CHECK(c.holds(1, "one"));
  CHECK(c.holds(2, "two"));
  CHECK(c.state().at("num_subjects") == 2);
}

TEST_CASE("stream: messages that arrive at once are acknowledged in their order") {
  jetstream_world w;
  asker c{w};
  c.make(storage());
  for (int i = 1; i <= 100; ++i) c.tell("s.a", "x", {}, fmt::format("R.{}", i));
  w.settle();
  auto acks = c.answers();
  REQUIRE(acks.size() == 100);
  for (uint64_t i = 1; i <= 100; ++i) CHECK(acks[i - 1] == acked(i));
}

TEST_CASE("stream: a message without a reply subject is stored and not acknowledged") {
  jetstream_world w;
  asker c{w};
  c.make(storage());
  c.tell("s.a", "one");
  w.settle();
  CHECK(c.answers().empty());
  CHECK(c.holds(1, "one"));
}

TEST_CASE("stream: with no_ack nobody is acknowledged, not even an error") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"no_ack":true)");
  CHECK(c.ask("s.a", "one").empty());
  CHECK(c.ask("s.a", "two", header("Nats-Expected-Stream", "other")).empty());
  CHECK(c.state().at("messages") == 1);
}

TEST_CASE("stream: a message id that was stored is acknowledged with its first sequence") {
  jetstream_world w;
  asker c{w};
  c.make(storage());
  auto id = header("Nats-Msg-Id", "one");
  CHECK(c.ask("s.a", "x", id) == acked(1));
  CHECK(c.ask("s.a", "y", id) == duplicate_of(1));
  CHECK(c.ask("s.b", "z", id) == duplicate_of(1));
  CHECK(c.state().at("messages") == 1);
}

TEST_CASE("stream: a message id is remembered over a purge and a restart") {
  jetstream_world w;
  asker c{w};
  c.make("file");
  auto id = header("Nats-Msg-Id", "one");
  CHECK(c.ask("s.a", "x", id) == acked(1));
  CHECK(c.api("STREAM.PURGE.S").at("purged") == 1);
  w.restart_jetstream();
  CHECK(c.ask("s.a", "x", id) == duplicate_of(1));
  CHECK(c.ask("s.a", "x") == acked(2));
}

TEST_CASE("stream: what is expected of the last sequence is checked when it is stored") {
  jetstream_world w;
  asker c{w};
  c.make(storage());
  CHECK(c.ask("s.a", "x", header("Nats-Expected-Last-Sequence", "0")) == acked(1));
  CHECK(error_in(c.ask("s.a", "x", header("Nats-Expected-Last-Sequence", "0"))) == 10071);
  CHECK(c.ask("s.b", "x", header("Nats-Expected-Last-Subject-Sequence", "0")) == acked(2));
  CHECK(error_in(c.ask("s.b", "x", header("Nats-Expected-Last-Subject-Sequence", "1"))) == 10071);
  CHECK(error_in(c.ask("s.b", "x", header("Nats-Expected-Last-Subject-Sequence", "no"))) == 10071);
  // Two that arrive at once and expect the same: the first has it.
  c.tell("s.c", "x", header("Nats-Expected-Last-Sequence", "2"), "R.1");
  c.tell("s.c", "x", header("Nats-Expected-Last-Sequence", "2"), "R.2");
  w.settle();
  auto acks = c.answers();
  REQUIRE(acks.size() == 2);
  CHECK(acks[0] == acked(3));
  CHECK(error_in(acks[1]) == 10071);
}

TEST_CASE("stream: another last message id, stream or subject than expected is refused") {
  jetstream_world w;
  asker c{w};
  c.make(storage());
  c.ask("s.a", "x", header("Nats-Msg-Id", "one"));
  CHECK(c.ask("s.a", "x", header("Nats-Expected-Last-Msg-Id", "one")) == acked(2));
  CHECK(error_in(c.ask("s.a", "x", header("Nats-Expected-Last-Msg-Id", "one"))) == 10070);
  CHECK(error_in(c.ask("s.a", "x", header("Nats-Expected-Stream", "T"))) == 10060);
  CHECK(error_in(c.ask("s.a", "x", header("Nats-Expected-Last-Subject-Sequence-Subject", "s.b"))) ==
        10193);
}

TEST_CASE("stream: of several things that are wrong the publisher is told the first") {
  jetstream_world w;
  asker c{w};
  c.make("memory", R"(,"max_msg_size":200)");
  c.ask("s.a", "x", header("Nats-Msg-Id", "one"));
  auto told = [&](std::string_view more) {
    return error_in(c.ask("s.a", "x", fmt::format("NATS/1.0\r\n{}\r\n", more)));
  };
  CHECK(told("Nats-Expected-Stream: T\r\nNats-TTL: 5s\r\n") == 10060);
  CHECK(told("Nats-TTL: 5s\r\nNats-Expected-Last-Sequence: 9\r\n") == 10166);
  CHECK(told("Nats-TTL: bad\r\nNats-Expected-Last-Sequence: 9\r\n") == 10071);
  CHECK(told("Nats-Expected-Last-Sequence: 9\r\nNats-Msg-Id: one\r\n") == 10071);
  CHECK(told("Nats-Rollup: sub\r\nNats-Msg-Id: one\r\n") == 0);  // a duplicate
  CHECK(told("Nats-TTL: bad\r\nNats-Rollup: sub\r\n") == 10111);
  CHECK(told("Nats-TTL: bad\r\n") == 10165);
  CHECK(error_in(c.ask("s.a", std::string(201, 'x'), header("Nats-Incr", "1"))) == 10054);
  CHECK(c.state().at("last_seq") == 1);
}

TEST_CASE("stream: a rollup removes what its subject, or the stream, had before") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"allow_rollup_hdrs":true)");
  for (const auto* subject : {"s.a", "s.a", "s.b"}) c.ask(subject, "x");
  CHECK(c.ask("s.a", "new", header("Nats-Rollup", "sub")) == acked(4));
  CHECK(c.state().at("messages") == 2);
  CHECK(error_in(c.ask("s.a", "new", header("Nats-Rollup", "some"))) == 10111);
  CHECK(c.ask("s.c", "all", header("Nats-Rollup", "all")) == acked(5));
  CHECK(c.state().at("messages") == 1);
  CHECK(c.holds(5, "all"));
}

TEST_CASE("stream: a rollup of all is done although nobody wants the message itself") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"allow_rollup_hdrs":true,"retention":"interest")");
  auto made = c.api("CONSUMER.CREATE.S.C", R"({"stream_name":"S","config":{"durable_name":"C",
      "ack_policy":"explicit","filter_subject":"s.a"}})");
  REQUIRE(error_in(made) == 0);
  c.ask("s.a", "x");
  CHECK(c.ask("s.b", "all", header("Nats-Rollup", "all")) == acked(2));
  CHECK(c.state().at("messages") == 0);
  CHECK(c.state().at("first_seq") == 3);
}

TEST_CASE("stream: max_msgs and max_msgs_per_subject drop the oldest") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"max_msgs":3,"max_msgs_per_subject":2)");
  for (int i = 0; i < 3; ++i) c.ask("s.a", "x");
  CHECK(c.state().at("first_seq") == 2);
  c.ask("s.b", "x");
  c.ask("s.c", "x");
  CHECK(c.state().at("messages") == 3);
  CHECK(c.state().at("first_seq") == 3);
}

TEST_CASE("stream: with discard new a full stream refuses, and goes on after a delete") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"max_msgs":2,"discard":"new")");
  c.ask("s.a", "x");
  c.ask("s.a", "x");
  CHECK(error_in(c.ask("s.a", "x")) == 10077);
  CHECK(c.api("STREAM.MSG.DELETE.S", R"({"seq":1})").at("success") == true);
  CHECK(c.ask("s.a", "x") == acked(3));
}

TEST_CASE("stream: with discard new per subject only the full subject refuses") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"max_msgs_per_subject":1,"discard":"new","discard_new_per_subject":true)");
  CHECK(c.ask("s.a", "x") == acked(1));
  CHECK(error_in(c.ask("s.a", "x")) == 10077);
  CHECK(c.ask("s.b", "x") == acked(2));
}

TEST_CASE("stream: a message over max_msg_size is refused, headers counted") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"max_msg_size":40)");
  CHECK(c.ask("s.a", std::string(40, 'x')) == acked(1));
  CHECK(error_in(c.ask("s.a", std::string(41, 'x'))) == 10054);
  CHECK(error_in(c.ask("s.a", std::string(30, 'x'), header("A", "b"))) == 10054);
}

TEST_CASE("stream: headers over 64 KiB are refused") {
  jetstream_world w;
  asker c{w};
  c.make(storage());
  CHECK(error_in(c.ask("s.a", "x", header("A", std::string(70'000, 'b')))) == 10097);
}

TEST_CASE("stream: a subject transform comes before everything else") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"subject_transform":{"src":"s.in.*","dest":"s.out.{{wildcard(1)}}"})");
  CHECK(c.ask("s.in.1", "x") == acked(1));
  CHECK(c.ask("s.other", "x") == acked(2));
  CHECK(error_in(c.ask("s.in.1", "x", header("Nats-Expected-Last-Subject-Sequence", "0"))) ==
        10071);
  auto subjects = c.api("STREAM.INFO.S", R"({"subjects_filter":">"})").at("state").at("subjects");
  CHECK(subjects.dump() == R"({"s.other":1,"s.out.1":1})");
}

TEST_CASE("stream: what is stored is republished before it is acknowledged") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"republish":{"src":"s.a.*","dest":"R.copy.{{wildcard(1)}}"})");
  auto copy = [](uint64_t seq, uint64_t previous) {
    return fmt::format(
        "Nats-Stream: S\r\nNats-Subject: s.a.1\r\nNats-Sequence: {}\r\n"
        "Nats-Time-Stamp: 2026-01-01T00:00:00Z\r\nNats-Last-Sequence: {}\r\n\r\nx",
        seq, previous);
  };
  c.tell("s.a.1", "x", {}, "R.1");
  c.tell("s.b", "x", {}, "R.1");
  c.tell("s.a.1", "x", header("K", "v"), "R.1");
  w.settle();
  auto all = c.answers();
  REQUIRE(all.size() == 5);
  CHECK(all[0] == "NATS/1.0\r\n" + copy(1, 0));
  CHECK(all[1] == "NATS/1.0\r\nK: v\r\n" + copy(3, 1));
  CHECK(all[2] == acked(1));
  CHECK(all[4] == acked(3));
}

TEST_CASE("stream: headers_only republishes the size in place of the payload") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"republish":{"src":"s.>","dest":"R.>","headers_only":true})");
  c.tell("s.a", "hello");
  w.settle();
  auto all = c.answers();
  REQUIRE(all.size() == 1);
  CHECK(all[0].ends_with("Nats-Last-Sequence: 0\r\nNats-Msg-Size: 5\r\n\r\n"));
}

TEST_CASE("stream: what is refused or a duplicate is not republished") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"republish":{"src":"s.>","dest":"copy.>"})");
  client other{w};
  other.says("SUB copy.> 1\r\n");
  c.ask("s.a", "x", header("Nats-Msg-Id", "one"));
  CHECK(!other.hears_all().empty());
  c.ask("s.a", "x", header("Nats-Msg-Id", "one"));
  c.ask("s.a", "x", header("Nats-Expected-Last-Sequence", "9"));
  other.hears_nothing();
}

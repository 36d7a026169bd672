#include "jetstream_world.hpp"
#include "storage/archive.hpp"
#include "storage/lmdb_store.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>

using namespace vagus;

namespace {

const char* storage() {
  return GENERATE("memory", "file");
}

}  // namespace

TEST_CASE("stream: an acknowledged message is there after a restart") {
  jetstream_world w;
  asker c{w};
  c.make("file");
  CHECK(c.ask("s.a", "one") == acked(1));
  w.restart_jetstream();
  CHECK(c.holds(1, "one"));
  CHECK(c.ask("s.a", "two") == acked(2));
}

TEST_CASE("stream: one whose making was cut short leaves its name and its place free") {
  jetstream_world w;
  asker c{w};
  auto place = w.js().store_dir / "S";
  w.stop_jetstream();
  REQUIRE(lmdb_store::open(place, "S"));
  w.restart_jetstream();
  CHECK_FALSE(std::filesystem::exists(place));
  CHECK(error_in(c.api("STREAM.INFO.S")) == 10059);
  c.make("file");
  CHECK(c.ask("s.a", "one") == acked(1));
}

TEST_CASE("stream: with compression s2 the store packs, from whenever it is so") {
  jetstream_world w;
  asker c{w};
  std::string text(500, 'x');
  c.make("file");
  c.ask("s.a", text);
  c.change(R"(,"compression":"s2")");
  c.ask("s.a", text);
  c.change(R"(,"compression":"none")");
  c.ask("s.a", text);
  w.stop_jetstream();
  auto store = std::move(*lmdb_store::open(w.js().store_dir / "S", "S"));
  auto snapshot = std::move(*store->read());
  for (uint64_t seq : {1, 2, 3}) {
    CHECK(snapshot->head(seq)->packed == (seq == 2));
    CHECK(snapshot->message(seq)->payload == text);
  }
}

TEST_CASE("stream: a store that was told less by an older version packs after a restart") {
  jetstream_world w;
  asker c{w};
  c.make("file", R"(,"compression":"s2","max_msgs":5)");
  w.stop_jetstream();
  auto place = w.js().store_dir / "S";
  {
    auto store = std::move(*lmdb_store::open(place, "S"));
    auto row = *(*store->read())->config();
    auto limits = (*store->read())->meta().limits;
    CHECK(limits.compress);
    limits.compress = false;
    batch_builder batch{w.now_ns()};
    REQUIRE_FALSE(store->append(batch.add(configure_proposal{limits, row}).bytes()).error);
  }
  w.restart_jetstream();
  CHECK(c.ask("s.a", std::string(500, 'x')) == acked(1));
  CHECK(c.api("STREAM.INFO.S")["config"]["compression"] == "s2");
  w.stop_jetstream();
  auto store = std::move(*lmdb_store::open(place, "S"));
  auto snapshot = std::move(*store->read());
  CHECK(snapshot->meta().limits.compress);
  CHECK(snapshot->meta().limits.max_msgs == 5);
  CHECK(snapshot->head(1)->packed);
}

TEST_CASE("stream: what is restored into one with compression s2 is packed") {
  auto origin = std::make_shared<memory_store>("S");
  store_proposal m;
  std::string text(500, 'x');
  m.subject = "s.a";
  m.payload = text;
  REQUIRE_FALSE(origin->append(batch_builder{1}.add(m).bytes()).error);
  archive_writer archive{origin, true};
  REQUIRE_FALSE(archive.start());
  jetstream_world w;
  asker c{w};
  auto config = R"({"name":"S","subjects":["s.>"],"storage":"file","compression":"s2"})";
  auto to = c.api("STREAM.RESTORE.S", fmt::format(R"({{"config":{},"state":{{}}}})", config));
  std::string place = to.at("deliver_subject");
  CHECK(c.ask(place, *archive.read(1 << 20)).empty());
  CHECK(error_in(c.ask(place)) == 0);
  CHECK(c.holds(1, text));
  w.stop_jetstream();
  auto store = std::move(*lmdb_store::open(w.js().store_dir / "S", "S"));
  CHECK((*store->read())->head(1)->packed);
}

TEST_CASE("stream: one in memory is gone after a restart") {
  jetstream_world w;
  asker c{w};
  c.make("memory");
  w.restart_jetstream();
  CHECK(error_in(c.api("STREAM.INFO.S")) == 10059);
}

TEST_CASE("stream: making it again with the same configuration is no error, with another it is") {
  jetstream_world w;
  asker c{w};
  const auto* kind = storage();
  c.make(kind);
  c.ask("s.a", "x");
  c.make(kind);
  CHECK(error_in(c.api("STREAM.CREATE.S", R"({"name":"S","subjects":["t"]})")) == 10058);
  CHECK(c.state().at("messages") == 1);
}

TEST_CASE("stream: a subject belongs to one stream") {
  jetstream_world w;
  asker c{w};
  c.make(storage());
  CHECK(error_in(c.api("STREAM.CREATE.T", R"({"name":"T","subjects":["s.a"]})")) == 10065);
}

TEST_CASE("stream: without one for a subject there are no responders") {
  jetstream_world w;
  asker c{w};
  c.make(storage());
  CHECK(c.ask("other", "x") == "NATS/1.0 503\r\nNats-Subject: other\r\n\r\n");
  CHECK(c.api("STREAM.DELETE.S").at("success") == true);
  CHECK(c.ask("s.a", "x") == "NATS/1.0 503\r\nNats-Subject: s.a\r\n\r\n");
}

TEST_CASE("stream: new subjects are stored once the update is answered, former ones no longer") {
  jetstream_world w;
  asker c{w};
  c.make(storage());
  CHECK(c.ask("s.a", "x") == acked(1));
  auto config = fmt::format(R"({{"name":"S","subjects":["t.>"],"storage":"{}"}})",
                            c.api("STREAM.INFO.S").at("config").at("storage").get<std::string>());
  CHECK(error_in(c.api("STREAM.UPDATE.S", config)) == 0);
  CHECK(c.ask("t.a", "x") == acked(2));
  CHECK(c.ask("s.a", "x").starts_with("NATS/1.0 503"));
  CHECK(c.holds(1, "x"));
}

TEST_CASE("stream: what arrives together with an update is stored, before or after it") {
  jetstream_world w;
  asker c{w};
  c.make("memory");
  c.tell("s.a", "x", {}, "R.1");
  c.tell("$JS.API.STREAM.UPDATE.S", R"({"name":"S","subjects":["s.>","t"],"storage":"memory"})", {},
         "R.2");
  c.tell("s.b", "x", {}, "R.3");
  w.settle();
  auto answers = c.answers();
  REQUIRE(answers.size() == 3);
  CHECK(std::count(answers.begin(), answers.end(), acked(1)) == 1);
  CHECK(std::count(answers.begin(), answers.end(), acked(2)) == 1);
  CHECK(c.ask("t", "x") == acked(3));
}

TEST_CASE("stream: one that is deleted and made again begins anew, also for ids") {
  jetstream_world w;
  asker c{w};
  const auto* kind = storage();
  c.make(kind);
  auto id = header("Nats-Msg-Id", "one");
  CHECK(c.ask("s.a", "x", id) == acked(1));
  CHECK(c.api("STREAM.DELETE.S").at("success") == true);
  c.make(kind);
  CHECK(c.ask("s.a", "x", id) == acked(1));
}

TEST_CASE("stream: deleted and made again under load, nothing is acknowledged that is not stored") {
  jetstream_world w;
  asker c{w};
  c.make("file");
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 20; ++i) c.tell("s.a", "x", {}, "R.ack");
    c.tell("$JS.API.STREAM.DELETE.S", {}, {}, "R.deleted");
    for (int i = 0; i < 20; ++i) c.tell("s.a", "x", {}, "R.ack");
    c.tell("$JS.API.STREAM.CREATE.S", R"({"name":"S","subjects":["s.>"],"storage":"file"})", {},
           "R.made");
    w.settle();
    int made = 0;
    for (const auto& answer : c.answers()) made += answer.find("did_create") != answer.npos;
    CHECK(made == 1);
    for (int i = 0; i < 7; ++i) c.tell("s.a", "x", {}, "R.ack");
    w.settle();
    size_t acks = 0;
    for (const auto& answer : c.answers()) acks += answer.starts_with(R"({"stream":"S")");
    CHECK(acks == 7);
    CHECK(c.state().at("messages") == 7);
  }
}

TEST_CASE("stream: what waits when JetStream stops is committed, acknowledged and there again") {
  jetstream_world w;
  asker c{w};
  c.make("file");
  for (int i = 0; i < 50; ++i) c.tell("s.a", "x", {}, "R.ack");
  w.stop_jetstream();
  size_t acks = 0;
  for (const auto& answer : c.answers()) acks += answer.starts_with(R"({"stream":"S")");
  w.restart_jetstream();
  CHECK(c.state().at("messages") == acks);
}

TEST_CASE("jetstream: it ends also with requests under way") {
  jetstream_world w;
  asker c{w};
  c.make("file");
  c.ask("s.a", "x");
  c.tell("$JS.API.STREAM.CREATE.T", R"({"name":"T"})", {}, "R.1");
  c.tell("$JS.API.STREAM.DELETE.S", {}, {}, "R.2");
  c.tell("$JS.API.STREAM.CREATE.S", R"({"name":"S","subjects":["s.>"]})", {}, "R.3");
  c.tell("$JS.API.STREAM.MSG.GET.S", R"({"seq":1})", {}, "R.4");
  w.stop_jetstream();
  c.answers();
  w.restart_jetstream();
  CHECK(error_in(c.api("INFO")) == 0);
}

TEST_CASE("jetstream: requests that arrive behind its end are left alone") {
  jetstream_world w;
  asker c{w};
  c.make("file");
  w.stop_jetstream();
  CHECK(c.ask("$JS.API.STREAM.MSG.GET.S", R"({"seq":1})").starts_with("NATS/1.0 503"));
  CHECK(c.ask("s.a", "x").starts_with("NATS/1.0 503"));
}

TEST_CASE("stream: a purge takes all, up to a sequence, all but some, or what matches") {
  jetstream_world w;
  asker c{w};
  c.make(storage());
  for (int i = 0; i < 10; ++i) c.ask(i % 2 == 0 ? "s.a" : "s.b", "x");
  auto purged = [&](std::string_view what) { return c.api("STREAM.PURGE.S", what).at("purged"); };
  CHECK(purged(R"({"filter":"s.a","keep":3})") == 2);
  CHECK(purged(R"({"seq":5})") == 2);
  CHECK(c.state().at("first_seq") == 5);
  CHECK(purged(R"({"filter":"none"})") == 0);
  CHECK(error_in(c.api("STREAM.PURGE.S", R"({"seq":5,"keep":1})")) == 10003);
  CHECK(purged(R"({"keep":1})") == 5);
  CHECK(purged("") == 1);
  auto state = c.state();
  CHECK(state.at("first_seq") == 11);
  CHECK(state.at("last_seq") == 10);
  CHECK(c.ask("s.a", "x") == acked(11));
}

TEST_CASE("stream: a deleted message leaves a gap, and cannot be deleted again") {
  jetstream_world w;
  asker c{w};
  c.make(storage());
  for (int i = 0; i < 3; ++i) c.ask("s.a", "x");
  CHECK(c.api("STREAM.MSG.DELETE.S", R"({"seq":2})").at("success") == true);
  CHECK(error_in(c.api("STREAM.MSG.DELETE.S", R"({"seq":2})")) == 10043);
  CHECK(error_in(c.api("STREAM.MSG.GET.S", R"({"seq":2})")) == 10037);
  auto state = c.api("STREAM.INFO.S", R"({"deleted_details":true})").at("state");
  CHECK(state.at("num_deleted") == 1);
  CHECK(state.at("deleted").dump() == "[2]");
}

TEST_CASE("stream: a sealed one takes nothing, gives up nothing, and stays sealed") {
  jetstream_world w;
  asker c{w};
  c.make(storage());
  c.ask("s.a", "x");
  CHECK(error_in(c.change(R"(,"sealed":true)")) == 0);
  CHECK(error_in(c.ask("s.a", "x")) == 10109);
  CHECK(error_in(c.ask("s.a", "x", header("A", "b"))) == 10109);
  CHECK(error_in(c.api("STREAM.PURGE.S")) == 10109);
  CHECK(error_in(c.api("STREAM.MSG.DELETE.S", R"({"seq":1})")) == 10109);
  CHECK(error_in(c.change("")) != 0);
  CHECK(c.holds(1, "x"));
}

TEST_CASE("stream: deny_delete and deny_purge refuse these, and cannot be taken back") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"deny_delete":true,"deny_purge":true)");
  c.ask("s.a", "x");
  CHECK(error_in(c.api("STREAM.MSG.DELETE.S", R"({"seq":1})")) == 10057);
  CHECK(error_in(c.api("STREAM.PURGE.S")) == 10110);
  CHECK(error_in(c.change("")) == 10052);
  CHECK(c.holds(1, "x"));
}

TEST_CASE("stream: interest without consumers takes a sequence and stores nothing") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"retention":"interest")");
  CHECK(c.ask("s.a", "x") == acked(1));
  CHECK(c.ask("s.a", "x") == acked(2));
  auto state = c.state();
  CHECK(state.at("messages") == 0);
  CHECK(state.at("last_seq") == 2);
}

TEST_CASE("stream: direct gets are answered by the stream, while it allows them") {
  jetstream_world w;
  asker c{w};
  c.make(storage(), R"(,"allow_direct":true)");
  c.ask("s.a", "one");
  c.ask("s.a", "two");
  CHECK(c.ask("$JS.API.DIRECT.GET.S", R"({"seq":1})") ==
        "NATS/1.0\r\nNats-Stream: S\r\nNats-Subject: s.a\r\nNats-Sequence: 1\r\n"
        "Nats-Time-Stamp: 2026-01-01T00:00:00Z\r\n\r\none");
  CHECK(c.ask("$JS.API.DIRECT.GET.S.s.a").ends_with("\r\n\r\ntwo"));
  CHECK(c.ask("$JS.API.DIRECT.GET.S.none") == "NATS/1.0 404 Message Not Found\r\n\r\n");
  c.tell("$JS.API.DIRECT.GET.S", R"({"seq":1,"batch":5})", {}, "R.1");
  w.settle();
  auto batch = c.answers();
  REQUIRE(batch.size() == 3);
  CHECK(batch[1].ends_with("Nats-Num-Pending: 0\r\nNats-Last-Sequence: 1\r\n\r\ntwo"));
  CHECK(batch[2].starts_with("NATS/1.0 204 EOB\r\n"));
  CHECK(error_in(c.change("")) == 0);
  CHECK(c.ask("$JS.API.DIRECT.GET.S", R"({"seq":1})").starts_with("NATS/1.0 503"));
}

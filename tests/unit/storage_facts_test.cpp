#include "storage_fixture.hpp"

#include <catch2/catch.hpp>

using namespace vagus;
using namespace vagus::testing;

namespace {

const auto both = {bench_store::kind::memory, bench_store::kind::lmdb};

store_proposal message(std::string_view subject) {
  store_proposal p;
  p.subject = subject;
  return p;
}

store_limits window(int64_t duration) {
  store_limits limits;
  limits.duplicate_window_ns = duration;
  return limits;
}

}  // namespace

TEST_CASE("storage: a stored message gets the next sequence and the batch's time") {
  bench_store s{GENERATE(values(both))};
  REQUIRE(s.store("a").seq == 1);
  REQUIRE(s.store("b").seq == 2);
  REQUIRE(s.state().first_time_ns == s.now);
  REQUIRE(s.state().num_subjects == 2);
}

TEST_CASE("storage: time does not run backwards") {
  bench_store s{GENERATE(values(both))};
  s.store("a");
  auto first = s.now;
  s.now -= second;
  s.store("a");
  REQUIRE(s.state().last_time_ns == first);
}

TEST_CASE("storage: a message has its own place and time, above and behind all others") {
  bench_store s{GENERATE(values(both))};
  s.store("a");
  auto p = message("b");
  p.seq = 5;
  p.time_ns = s.now - second;
  s.now += 9 * second;
  REQUIRE(s.apply(p).has_gaps);
  REQUIRE(s.state().last_seq == 5);
  REQUIRE(s.state().last_time_ns == s.now - 9 * second);
  REQUIRE(s.propose(p).error == store_errc::wrong_last_sequence);
  p.seq = 6;
  p.time_ns = s.now - second;
  REQUIRE(!s.apply(p).has_gaps);
  REQUIRE(s.state().last_time_ns == s.now - second);
  s.reopen();
  REQUIRE(s.next("") == std::vector<uint64_t>{1, 5, 6});
}

TEST_CASE(
    "storage: a message at its own place is no duplicate, but later ones are duplicates of it") {
  bench_store s{GENERATE(values(both))};
  s.configure(window(10 * second));
  auto p = message("a");
  p.msg_id = "one";
  for (uint64_t seq : {3, 5}) {
    p.seq = seq;
    p.time_ns = s.now - second;
    REQUIRE(!s.propose(p).duplicate);
  }
  REQUIRE(s.store("a", "x", "one").seq == 3);
  p.seq = 8;
  p.msg_id = "two";
  s.now += 20 * second;
  p.time_ns = s.now - 10 * second;
  s.propose(p);
  REQUIRE(s.store("a", "x", "two").seq == 9);
}

TEST_CASE("storage: limits and roll-ups count for a message at its own place") {
  bench_store s{GENERATE(values(both))};
  store_limits limits;
  limits.max_msgs_per_subject = 1;
  limits.max_msg_size = 4;
  s.configure(limits);
  auto p = message("a");
  for (uint64_t seq : {2, 4}) {
    p.seq = seq;
    REQUIRE(s.propose(p).seq == seq);
  }
  REQUIRE(s.next("") == std::vector<uint64_t>{4});
  s.store("b");
  p.seq = 7;
  p.rollup_all = true;
  REQUIRE(s.propose(p).seq == 7);
  REQUIRE(s.next("") == std::vector<uint64_t>{7});
  REQUIRE(s.state().first_seq == 7);
  p.seq = 9;
  p.payload = "large";
  REQUIRE(s.propose(p).error == store_errc::message_too_large);
}

TEST_CASE("storage: what is chained is accepted only if the proposal before it was") {
  bench_store s{GENERATE(values(both))};
  store_limits limits;
  limits.max_msg_size = 4;
  s.configure(limits);
  auto large = message("b");
  large.payload = "large";
  batch_builder batch{s.now};
  batch.add(message("a"));
  batch.add(consumer_put_proposal{"row", "1"}, true);
  batch.add(large, true);
  batch.add(consumer_put_proposal{"row", "2"}, true);
  batch.add(message("c"), true);
  batch.add(message("d"));
  auto result = s->append(batch.bytes());
  std::vector<store_errc> errors;
  for (const auto& o : result.outcomes) errors.push_back(o.error);
  using enum store_errc;
  REQUIRE(errors == std::vector{none, none, message_too_large, refused, refused, none});
  REQUIRE(s.next("") == std::vector<uint64_t>{1, 2});
  REQUIRE(*(*s->read())->consumer("row") == "1");
}

TEST_CASE("storage: a retry is a duplicate also after purge, removal and restart") {
  bench_store s{GENERATE(values(both))};
  s.configure(window(60 * second));
  REQUIRE(s.store("a", "x", "one").seq == 1);
  REQUIRE(s.store("a", "x", "two").seq == 2);
  s.propose(delete_proposal{1});
  s.propose(purge_proposal{});
  s.reopen();
  auto again = s.store("a", "x", "one");
  REQUIRE(again.duplicate);
  REQUIRE(again.seq == 1);
  REQUIRE(s.state().msgs == 0);
}

TEST_CASE("storage: an id is free again when its window is over") {
  bench_store s{GENERATE(values(both))};
  s.configure(window(10 * second));
  s.store("a", "x", "one");
  s.now += 10 * second - 1;
  REQUIRE(s.store("a", "x", "one").duplicate);
  s.now += 1;
  REQUIRE_FALSE(s.store("a", "x", "one").duplicate);
}

TEST_CASE("storage: ids are found in full buckets and forgotten with them") {
  bench_store s{GENERATE(values(both))};
  s.configure(window(1000 * second));
  for (int i = 0; i < 500; ++i) s.store("a", "x", "id" + std::to_string(i));
  s.reopen();
  for (int i = 0; i < 500; i += 7) {
    auto again = s.store("a", "x", "id" + std::to_string(i));
    REQUIRE(again.duplicate);
    REQUIRE(again.seq == static_cast<uint64_t>(i) + 1);
  }
  s.now += 1000 * second;
  for (int i = 0; i < 500; i += 7) {
    REQUIRE_FALSE(s.store("a", "x", "id" + std::to_string(i)).duplicate);
  }
}

TEST_CASE("storage: a batch that was applied is not applied again") {
  bench_store s{GENERATE(values(both))};
  batch_builder batch{s.now, 7};
  batch.add(message("a"));
  REQUIRE_FALSE(s->append(batch.bytes()).already);
  auto again = s->append(batch.bytes());
  REQUIRE(again.already);
  REQUIRE(again.number == 7);
  REQUIRE(s.state().msgs == 1);
}

TEST_CASE("storage: bytes that are no batch change nothing") {
  bench_store s{GENERATE(values(both))};
  batch_builder good{s.now};
  good.add(message("a")).add(message("b"));
  std::string bytes{good.bytes()};
  for (size_t cut = 0; cut < bytes.size(); ++cut)
    REQUIRE(s->append(bytes.substr(0, cut)).error.code == store_errc::malformed_batch);
  REQUIRE(s->append(bytes + "x").error.code == store_errc::malformed_batch);
  REQUIRE(s.state().msgs == 0);
  REQUIRE_FALSE(s->stopped());
}

TEST_CASE("storage: a sequence expected of other subjects is checked over a wildcard") {
  bench_store s{GENERATE(values(both))};
  s.store("a.1");
  s.store("a.2");
  auto p = message("a.1");
  p.expected_last_subject_seq = 1;
  p.expected_subject = "a.*";
  auto wrong = s.propose(p);
  REQUIRE(wrong.error == store_errc::wrong_last_sequence);
  REQUIRE(wrong.seq == 2);
  p.expected_last_subject_seq = 2;
  REQUIRE(s.propose(p).seq == 3);
}

TEST_CASE("storage: a purge that is too large for one batch goes on where it ended") {
  bench_store s{GENERATE(values(both))};
  batch_builder batch{s.now};
  for (int i = 0; i < 20'000; ++i) batch.add(message(i % 2 ? "a" : "b"));
  s->append(batch.bytes());
  purge_proposal purge;
  purge.filter = "a";
  purge.keep = 3;
  uint64_t removed = 0;
  int steps = 0;
  for (;;) {
    auto result = s.propose(purge);
    removed += result.removed;
    ++steps;
    if (!result.more) break;
    s.store("a");  // must survive
    purge.keep = 0;
    purge.up_to = result.rest.up_to;
    purge.at_most = result.rest.at_most;
  }
  REQUIRE(steps == 2);
  REQUIRE(removed == 9'997);
  REQUIRE(s.count("a") == 4);
  REQUIRE(s.count("b") == 10'000);
}

TEST_CASE("storage: a lowered limit is reached over several batches") {
  bench_store s{GENERATE(values(both))};
  batch_builder batch{s.now};
  for (int i = 0; i < 30'000; ++i) batch.add(message("a"));
  s->append(batch.bytes());
  store_limits limits;
  limits.max_msgs = 10;
  auto result = s.apply(configure_proposal{limits, "{}"});
  REQUIRE(result.more);
  int steps = 0;
  for (; result.more; ++steps) result = s->append(batch_builder{s.now}.bytes());
  REQUIRE(steps == 3);
  REQUIRE(s.state().msgs == 10);
  REQUIRE(s.state().first_seq == 29'991);
}

TEST_CASE("storage: the next expiry is told, and expiring then finds the message") {
  bench_store s{GENERATE(values(both))};
  store_limits limits;
  limits.max_age_ns = 30 * second;
  s.configure(limits);
  auto never = message("a");
  never.ttl_ns = ttl_never;
  s.propose(never);
  s.store("b");
  auto soon = message("c");
  soon.ttl_ns = 5 * second;
  auto due = s.apply(soon).next_expiry_ns;
  REQUIRE(due == s.now + 5 * second);
  s.now = due;
  auto result = s.apply(expire_proposal{});
  REQUIRE(result.outcomes[0].removed == 1);
  REQUIRE(result.next_expiry_ns == due + 25 * second);
  REQUIRE(result.removed.at(0).emptied);
  s.now = result.next_expiry_ns;
  result = s.apply(expire_proposal{});
  REQUIRE(result.outcomes[0].removed == 1);
  REQUIRE(result.next_expiry_ns == 0);
  REQUIRE(s.next(">") == std::vector<uint64_t>{1});
}

TEST_CASE("storage: a subject whose last message expires gets a marker, which leaves none") {
  bench_store s{GENERATE(values(both))};
  store_limits limits;
  limits.max_age_ns = 30 * second;
  limits.subject_delete_marker_ttl_ns = 5401 * second + 7;
  s.configure(limits);
  s.store("a");
  s.store("a");
  s.now += 10 * second;
  auto soon = message("b");
  soon.ttl_ns = 20 * second;
  s.propose(soon);
  s.now += 20 * second;
  auto result = s.apply(expire_proposal{});
  REQUIRE(result.markers == std::vector<stored_marker>{{4, 2}, {5, 3}});
  REQUIRE(s.next("a") == std::vector<uint64_t>{4});
  REQUIRE(s.next("b") == std::vector<uint64_t>{5});
  {
    auto snapshot = std::move(*s->read());
    auto m = snapshot->message(4);
    REQUIRE(m->payload.empty());
    REQUIRE(m->headers ==
            "NATS/1.0\r\nNats-Marker-Reason: MaxAge\r\nNats-TTL: 1h30m1s\r\n"
            "Nats-Rollup: sub\r\n\r\n");
    REQUIRE(m->expires_ns == s.now + 5401 * second);
  }
  s.now += 30 * second;
  result = s.apply(expire_proposal{});
  REQUIRE(result.outcomes[0].removed == 2);
  REQUIRE(result.markers.empty());
  REQUIRE(s.state().msgs == 0);
}

TEST_CASE("storage: no marker follows on removal, purge and limits, nor on a client's own marker") {
  bench_store s{GENERATE(values(both))};
  store_limits limits;
  limits.max_msgs = 1;
  limits.subject_delete_marker_ttl_ns = 10 * second;
  s.configure(limits);
  auto own = message("a");
  own.headers = "NATS/1.0\r\nNats-Marker-Reason: Purge\r\nNats-TTL: 1s\r\n\r\n";
  own.ttl_ns = second;
  s.propose(own);
  s.now += second;
  REQUIRE(s.apply(expire_proposal{}).markers.empty());
  s.store("b");
  REQUIRE(s.apply(delete_proposal{2}).markers.empty());
  s.store("c");
  REQUIRE(s.apply(purge_proposal{"c", 0, 0, 0}).markers.empty());
  s.store("d");
  REQUIRE(s.apply(message("e")).markers.empty());
  REQUIRE(s.next(">") == std::vector<uint64_t>{5});
}

TEST_CASE("storage: a snapshot does not see what comes after it") {
  bench_store s{bench_store::kind::lmdb};
  for (int i = 0; i < 30; ++i) s.store("a." + std::to_string(i % 3));
  auto opened = s->read();
  auto& snapshot = **opened;
  for (int i = 0; i < 300; ++i) {
    s.store("a." + std::to_string(i % 5));
    s.propose(delete_proposal{static_cast<uint64_t>(i % 30) + 1});
    REQUIRE(*snapshot.count("a.*") == 30);
    REQUIRE(*snapshot.count("a.1") == 10);
    REQUIRE(snapshot.next("a.1", 4, 2)->front() == 5);
    REQUIRE(*snapshot.last("a.*") == 30);
    REQUIRE(snapshot.subjects("a.*", {}, 10)->size() == 3);
    REQUIRE(snapshot.message(7)->subject == "a.0");
  }
}

TEST_CASE("storage: sparse matches are found behind many other messages") {
  bench_store s{GENERATE(values(both))};
  s.store("rare.1");
  batch_builder batch{s.now};
  for (int i = 0; i < 3000; ++i) batch.add(message("often." + std::to_string(i % 50)));
  s->append(batch.bytes());
  s.store("rare.2");
  s.store("rare.1");
  REQUIRE(s.next("rare.*", 2, 10) == std::vector<uint64_t>{3002, 3003});
  REQUIRE(s.next("rare.*", 2, 1) == std::vector<uint64_t>{3002});
  REQUIRE(s.next("*.1", 3002, 10) == std::vector<uint64_t>{3003});
  REQUIRE(s.last("rare.*") == 3003);
}

TEST_CASE("storage: configuration and consumer rows come back as they were") {
  bench_store s{GENERATE(values(both))};
  s.configure({}, R"({"name":"ORDERS"})");
  s.propose(consumer_put_proposal{"c1", std::string_view{"\0row", 4}});
  s.reopen();
  auto opened = s->read();
  REQUIRE(*(*opened)->config() == R"({"name":"ORDERS"})");
  REQUIRE(**(*opened)->consumer("c1") == std::string("\0row", 4));
  REQUIRE_FALSE((*opened)->consumer("c2")->has_value());
}

TEST_CASE("storage: a purge above the last sequence moves the stream forward") {
  bench_store s{GENERATE(values(both))};
  s.store("a");
  purge_proposal purge;
  purge.up_to = 100;
  s.propose(purge);
  REQUIRE(s.state().first_seq == 100);
  REQUIRE(s.store("a").seq == 100);
}

TEST_CASE("storage: deleted runs are listed") {
  bench_store s{GENERATE(values(both))};
  for (int i = 0; i < 10; ++i) s.store("a");
  for (uint64_t seq : {2u, 3u, 4u, 7u, 10u}) s.propose(delete_proposal{seq});
  auto opened = s->read();
  auto gaps = *(*opened)->deleted(0, 10);
  REQUIRE(gaps.size() == 3);
  REQUIRE((gaps[0].first == 2 && gaps[0].last == 4));
  REQUIRE((gaps[2].first == 10 && gaps[2].last == 10));
  REQUIRE((*opened)->state().num_deleted() == 5);
}

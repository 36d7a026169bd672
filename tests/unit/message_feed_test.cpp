#include "actors/jetstream/message_feed.hpp"

#include "net/subject.hpp"
#include "storage_fixture.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

using namespace vagus;
using vagus::testing::bench_store;
using vagus::testing::second;

namespace {

bench_store::kind kind() {
  return GENERATE(bench_store::kind::memory, bench_store::kind::lmdb);
}

/// All that a feed brings from `from` on, in order.
std::vector<uint64_t> all(bench_store& store, message_feed& feed, uint64_t from = 1) {
  std::vector<uint64_t> seqs;
  auto snapshot = store->read();
  for (;;) {
    auto m = feed.next(**snapshot, from);
    if (!m) {
      CHECK(m.error().code == store_errc::no_message);
      return seqs;
    }
    seqs.push_back(m->seq);
    from = m->seq + 1;
  }
}

uint64_t count(bench_store& store, const message_feed& feed, uint64_t from = 1) {
  auto snapshot = store->read();
  return *feed.count(**snapshot, from);
}

last_messages lasts_of(bench_store& store, const std::vector<std::string>& filters,
                       uint64_t up_to) {
  auto snapshot = store->read();
  auto found = *find_lasts(filters, **snapshot, up_to);
  return {std::make_shared<const std::vector<uint64_t>>(std::move(found)), (*snapshot)->state()};
}

message_feed lasts_feed(bench_store& store, const std::vector<std::string>& filters) {
  auto snapshot = store->read();
  auto up_to = (*snapshot)->state().last_seq;
  message_feed feed{filters, up_to};
  feed.set_lasts(lasts_of(store, filters, up_to));
  return feed;
}

using seqs = std::vector<uint64_t>;

}  // namespace

TEST_CASE("message feed: without filters it is the stream") {
  bench_store store{kind()};
  for (const auto* s : {"a", "b", "c"}) store.store(s);
  store.propose(delete_proposal{2, false});
  message_feed feed{{}};
  CHECK(feed.takes_everything());
  CHECK(all(store, feed) == seqs{1, 3});
  CHECK(all(store, feed, 2) == seqs{3});
  CHECK(all(store, feed, 9).empty());
  CHECK(count(store, feed) == 2);
  CHECK(count(store, feed, 2) == 1);
}

TEST_CASE("message feed: a filter that takes all is none") {
  CHECK(message_feed{{">"}}.takes_everything());
  CHECK(message_feed{{"a", ">"}}.takes_everything());
  CHECK_FALSE(message_feed{{"a.>"}}.takes_everything());
}

TEST_CASE("message feed: several filters give one order") {
  bench_store store{kind()};
  for (const auto* s : {"a.1", "b.1", "c.1", "b.2", "a.2", "c.2"}) store.store(s);
  message_feed feed{{"a.*", "c.2"}};
  CHECK(all(store, feed) == seqs{1, 5, 6});
  message_feed behind{{"a.*", "c.2"}};
  CHECK(all(store, behind, 2) == seqs{5, 6});
  CHECK(count(store, feed) == 3);
  CHECK(count(store, feed, 6) == 1);
  CHECK(feed.takes("a.9"));
  CHECK_FALSE(feed.takes("c.1"));
}

TEST_CASE("message feed: what is stored or deleted between two reads is seen") {
  bench_store store{kind()};
  for (int i = 0; i < 5; ++i) store.store("a");
  message_feed feed{{"a"}};
  CHECK((*feed.next(**store->read(), 1)).seq == 1);
  store.propose(delete_proposal{4, false});
  store.store("b");
  store.store("a");
  CHECK(all(store, feed, 2) == seqs{2, 3, 5, 7});
  store.store("a");
  CHECK(all(store, feed, 8) == seqs{8});
}

TEST_CASE("message feed: other filters from now on") {
  bench_store store{kind()};
  for (const auto* s : {"a", "b", "a", "b"}) store.store(s);
  message_feed feed{{"a"}};
  CHECK(all(store, feed) == seqs{1, 3});
  feed.set_filters({"b"});
  CHECK(all(store, feed) == seqs{2, 4});
  feed.set_filters({});
  CHECK(all(store, feed, 3) == seqs{3, 4});
}

TEST_CASE("message feed: only the last of each subject, then everything") {
  bench_store store{kind()};
  for (const auto* s : {"a", "b", "a", "c", "b"}) store.store(s);
  auto filters = GENERATE(std::vector<std::string>{}, std::vector<std::string>{"a", "b", "c"},
                          std::vector<std::string>{"*"});
  auto feed = lasts_feed(store, filters);
  CHECK(all(store, feed) == seqs{3, 4, 5});
  CHECK(count(store, feed) == 3);
  CHECK(count(store, feed, 4) == 2);
  store.store("a");
  store.store("a");
  CHECK(all(store, feed) == seqs{3, 4, 5, 6, 7});
  CHECK(count(store, feed) == 5);
}

TEST_CASE("message feed: it needs to know the last ones only while it is read below their bound") {
  message_feed feed{{"a"}, 10};
  CHECK(feed.needs_lasts(10));
  CHECK_FALSE(feed.needs_lasts(11));
  feed.set_lasts({std::make_shared<std::vector<uint64_t>>(), {}});
  CHECK_FALSE(feed.needs_lasts(1));
  CHECK_FALSE(message_feed{{"a"}}.needs_lasts(1));
}

TEST_CASE("message feed: a last one that is gone counts no longer, one that was not counts not") {
  bench_store store{kind()};
  for (const auto* s : {"a", "b", "a", "b"}) store.store(s);
  auto feed = lasts_feed(store, {"*"});
  CHECK_FALSE(feed.forget(1));
  store.propose(delete_proposal{3, false});
  CHECK(feed.forget(3));
  CHECK_FALSE(feed.forget(3));
  CHECK(feed.forget(5));
  CHECK(count(store, feed) == 1);
  CHECK(all(store, feed) == seqs{4});
}

TEST_CASE("message feed: very many last ones are in doubt until they are found again") {
  bench_store store{kind()};
  constexpr uint64_t subjects = 1100;
  for (uint64_t n = 1; n <= subjects; ++n) store.store(fmt::format("s.{}", n));
  store.store("s.1");
  auto feed = lasts_feed(store, {"s.*"});
  auto in_doubt = [&](uint64_t from) {
    return feed.lasts_in_doubt((*store->read())->state(), from);
  };
  CHECK(count(store, feed) == subjects);
  CHECK_FALSE(in_doubt(1));
  store.propose(delete_proposal{5, false});
  store.propose(delete_proposal{6, false});
  feed.forget(6);
  CHECK(count(store, feed) == subjects - 1);
  CHECK(in_doubt(1));
  CHECK_FALSE(in_doubt(500));
  CHECK(count(store, feed, 500) == subjects - 498);
  // The first message of s.1 is its last one now, but was not when it mattered.
  store.propose(delete_proposal{subjects + 1, false});
  feed.set_lasts(lasts_of(store, {"s.*"}, subjects + 1));
  CHECK_FALSE(in_doubt(1));
  CHECK(count(store, feed) == subjects - 3);
  CHECK(all(store, feed).size() == subjects - 3);
  auto fresh = lasts_feed(store, {"s.*"});
  CHECK(all(store, fresh).size() == subjects - 2);
}

TEST_CASE("message feed: where a consumer begins") {
  bench_store store{kind()};
  for (const auto* s : {"a", "b", "a", "b", "c"}) {
    store.now += 10 * second;
    store.store(s);
  }
  store.propose(delete_proposal{1, false});
  auto place = [&](deliver_policy policy, std::vector<std::string> filters = {}, uint64_t seq = 0,
                   int64_t time = 0) {
    consumer_config c;
    c.deliver_policy = policy;
    c.filter_subjects = std::move(filters);
    c.opt_start_seq = seq;
    c.opt_start_time = time;
    auto snapshot = store->read();
    return *first_place(c, false, **snapshot);
  };
  CHECK(place(deliver_policy::all).next_seq == 2);
  CHECK(place(deliver_policy::new_msgs).next_seq == 6);
  CHECK(place(deliver_policy::last).next_seq == 5);
  CHECK(place(deliver_policy::last, {"a", "b"}).next_seq == 4);
  CHECK(place(deliver_policy::last, {"none"}).next_seq == 2);
  CHECK(place(deliver_policy::by_start_sequence, {}, 1).next_seq == 2);
  CHECK(place(deliver_policy::by_start_sequence, {}, 4).next_seq == 4);
  CHECK(place(deliver_policy::by_start_sequence, {}, 99).next_seq == 99);
  CHECK(place(deliver_policy::by_start_time, {}, 0, 1025 * second).next_seq == 3);
  CHECK(place(deliver_policy::by_start_time, {}, 0, 1030 * second).next_seq == 3);
  CHECK(place(deliver_policy::by_start_time, {}, 0, 2000 * second).next_seq == 6);
  CHECK(place(deliver_policy::by_start_time, {"a"}, 0, 1005 * second).next_seq == 3);
  CHECK(place(deliver_policy::by_start_time, {"b"}, 0, 1025 * second).next_seq == 3);
  CHECK(place(deliver_policy::by_start_time, {"c"}, 0, 1025 * second).next_seq == 3);
  CHECK(place(deliver_policy::last_per_subject).last_of_each == 5);
}

TEST_CASE("message feed: where each subject has one message, the first of those wanted is a last") {
  bench_store store{kind()};
  for (const auto* s : {"a", "b", "c"}) store.store(s);
  consumer_config c;
  c.deliver_policy = deliver_policy::last_per_subject;
  auto next_seq = [&](std::vector<std::string> filters, bool one_per_subject = false) {
    c.filter_subjects = std::move(filters);
    auto place = *first_place(c, one_per_subject, **store->read());
    CHECK(place.last_of_each == 0);
    return place.next_seq;
  };
  CHECK(next_seq({"c", "b"}) == 2);
  CHECK(next_seq({"*"}) == 1);
  CHECK(next_seq({"none"}) == 3);
  CHECK(next_seq({"c"}, true) == 1);
}

TEST_CASE("message feed: an empty stream gives no place but the first") {
  bench_store store{kind()};
  auto policy = GENERATE(deliver_policy::all, deliver_policy::last, deliver_policy::new_msgs,
                         deliver_policy::by_start_time, deliver_policy::last_per_subject);
  consumer_config c;
  c.deliver_policy = policy;
  auto snapshot = store->read();
  auto place = first_place(c, false, **snapshot);
  REQUIRE(place);
  CHECK(place->next_seq == 1);
  CHECK(place->last_of_each == 0);
}

TEST_CASE("message feed: against a plain list, while messages come and go") {
  auto which = kind();
  auto seed = GENERATE(range(1u, 9u));
  INFO("seed " << seed);
  std::mt19937 random{seed};
  bench_store store{which};
  std::map<uint64_t, std::string> messages;
  std::vector<std::string> filters;
  if (seed % 4 != 0) filters = {"a.*", "b.1"};
  if (seed % 4 == 2) filters = {"*.0"};
  message_feed feed{filters};
  uint64_t at = 1;
  for (int step = 0; step < 600; ++step) {
    INFO("step " << step);
    auto subject = fmt::format("{}.{}", "abc"[random() % 3], random() % 3);
    auto what = random() % 10;
    if (what < 5) {
      messages[store.store(subject).seq] = subject;
    } else if (what < 7 && !messages.empty()) {
      auto seq = std::next(messages.begin(), static_cast<long>(random() % messages.size()))->first;
      store.propose(delete_proposal{seq, false});
      messages.erase(seq);
    } else {
      auto taken = [&](const auto& m) {
        return filters.empty() || std::any_of(filters.begin(), filters.end(), [&](const auto& f) {
                 return subject_matches(f, m.second);
               });
      };
      auto expected = std::find_if(messages.lower_bound(at), messages.end(), taken);
      auto snapshot = store->read();
      auto left = std::count_if(messages.lower_bound(at), messages.end(), taken);
      CHECK(*feed.count(**snapshot, at) == static_cast<uint64_t>(left));
      auto m = feed.next(**snapshot, at);
      REQUIRE(m.operator bool() == (expected != messages.end()));
      if (!m) continue;
      CHECK(m->seq == expected->first);
      CHECK(m->subject == expected->second);
      at = m->seq + 1;
    }
  }
}

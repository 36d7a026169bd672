#include "actors/jetstream/interest_table.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

using namespace vagus;

namespace {

ledger_state began_at(uint64_t next_seq) {
  ledger_rules rules;
  rules.ack_policy = ack_policy::explicit_acks;
  return consumer_ledger{rules, next_seq}.state();
}

}  // namespace

TEST_CASE("interest table: without consumers nothing is wanted or needed") {
  interest_table t;
  CHECK(t.empty());
  CHECK_FALSE(t.wanted("a"));
  CHECK_FALSE(t.needed(1, "a"));
  CHECK(t.floor_of("C") == 0);
}

TEST_CASE("interest table: a message is needed until every consumer is done with it") {
  interest_table t;
  t.add("A", {}, began_at(1));
  t.add("B", {}, began_at(1));
  t.note_done("A", 1);
  CHECK(t.needed(1, "a"));
  t.note_done("B", 1);
  CHECK_FALSE(t.needed(1, "a"));
  CHECK(t.needed(2, "a"));
  t.note_floor("A", 5);
  CHECK(t.needed(5, "a"));
  t.note_floor("B", 4);
  CHECK_FALSE(t.needed(4, "a"));
  CHECK(t.needed(5, "a"));
}

TEST_CASE("interest table: filters decide what is wanted and needed") {
  interest_table t;
  t.add("A", {"a.*"}, began_at(1));
  t.add("B", {"b.1", "b.2"}, began_at(1));
  CHECK(t.wanted("a.x"));
  CHECK(t.wanted("b.2"));
  CHECK_FALSE(t.wanted("b.3"));
  CHECK_FALSE(t.needed(1, "b.3"));
  t.set_filters("B", {"b.3"});
  CHECK(t.needed(1, "b.3"));
  CHECK_FALSE(t.needed(1, "b.2"));
  t.remove("A");
  CHECK_FALSE(t.wanted("a.x"));
}

TEST_CASE("interest table: a consumer does not need what lies before its place") {
  interest_table t;
  t.add("A", {}, began_at(10));
  CHECK_FALSE(t.needed(9, "a"));
  CHECK(t.needed(10, "a"));
  CHECK(t.floor_of("A") == 9);
}

TEST_CASE("interest table: a consumer as it was stored needs what is pending and what is to come") {
  ledger_rules rules;
  rules.ack_policy = ack_policy::explicit_acks;
  consumer_ledger ledger{rules};
  std::vector<uint64_t> done;
  for (uint64_t seq = 1; seq <= 4; ++seq) ledger.deliver(seq, 0);
  ledger.ack({1, 1, 1}, 0, done);
  ledger.ack({3, 3, 1}, 0, done);
  interest_table t;
  t.add("A", {}, ledger.state());
  CHECK_FALSE(t.needed(1, "a"));
  CHECK(t.needed(2, "a"));
  CHECK_FALSE(t.needed(3, "a"));
  CHECK(t.needed(4, "a"));
  CHECK(t.needed(5, "a"));
}

TEST_CASE("interest table: a floor never goes back, and names that are not there do no harm") {
  interest_table t;
  t.add("A", {}, began_at(1));
  t.note_floor("A", 7);
  t.note_floor("A", 3);
  CHECK(t.floor_of("A") == 7);
  t.note_floor("none", 9);
  t.note_done("none", 9);
  t.set_filters("none", {"x"});
  t.remove("none");
  t.forget(9);
  CHECK(t.needed(8, "a"));
}

TEST_CASE("interest table: a consumer added again begins as it is told") {
  interest_table t;
  t.add("A", {"a"}, began_at(1));
  t.note_done("A", 3);
  t.note_floor("A", 2);
  t.add("A", {}, began_at(1));
  CHECK(t.needed(1, "b"));
  CHECK(t.needed(3, "b"));
}

TEST_CASE("interest table: against plain sets") {
  auto seed = GENERATE(range(1u, 11u));
  INFO("seed " << seed);
  std::mt19937 random{seed};
  interest_table t;
  std::map<std::string, std::set<uint64_t>> needs;  // what each consumer is not done with
  constexpr uint64_t last = 40;
  for (int step = 0; step < 400; ++step) {
    std::string name(1, "ABC"[random() % 3]);
    auto seq = 1 + random() % last;
    switch (random() % 10) {
      case 0: {
        t.add(name, {}, began_at(seq));
        auto& mine = needs[name];
        mine.clear();
        for (auto s = seq; s <= last; ++s) mine.insert(s);
        break;
      }
      case 1:
        t.remove(name);
        needs.erase(name);
        break;
      case 2:
        t.note_floor(name, seq / 4);
        if (needs.contains(name))
          needs[name].erase(needs[name].begin(), needs[name].upper_bound(seq / 4));
        break;
      default:
        t.note_done(name, seq);
        if (needs.contains(name)) needs[name].erase(seq);
    }
    for (uint64_t s = 1; s <= last; ++s) {
      bool any = std::any_of(needs.begin(), needs.end(),
                             [s](const auto& n) { return n.second.contains(s); });
      INFO("step " << step << " seq " << s);
      REQUIRE(t.needed(s, "a") == any);
    }
  }
}

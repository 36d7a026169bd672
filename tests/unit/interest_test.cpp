#include "actors/interest/interest.hpp"

#include "actors/interest/rcu.hpp"
#include "world.hpp"

#include <catch2/catch.hpp>
#include <urcu/urcu-memb.h>

#include <algorithm>
#include <set>

using namespace vagus;

namespace {

/// An interest with some endpoints, and what a subject reaches as text.
class board {
public:
  board() {
    for (uint64_t i = 0; i < 4; ++i) endpoints_.push_back(endpoint_ptr{new endpoint{i, 1}});
  }
  ~board() { urcu_memb_barrier(); }

  void sub(std::string_view subject, uint32_t slot, std::string_view queue = {}, size_t who = 0) {
    interest_.subscribe({at(who), slot, subject, queue}, 1, std::to_string(slot));
  }
  bool unsub(std::string_view subject, uint32_t slot, std::string_view queue = {}, size_t who = 0) {
    return interest_.unsubscribe({at(who), slot, subject, queue});
  }

  /// "1 2 [3 4]": plain slots, then the members of each queue group, each sorted.
  std::string reached(std::string_view subject) const {
    snapshot_guard guard;
    match_result result;
    interest_.match(subject, interest::hash_of(subject), result);
    std::string text = slots(result.plain);
    std::multiset<std::string> groups;
    for (const auto& q : result.queues)
      if (!q.members.empty()) groups.insert("[" + slots(q.members) + "]");
    for (const auto& g : groups) text += (text.empty() ? "" : " ") + g;
    return text;
  }

  interest::stamp stamp(std::string_view subject) const {
    return interest_.take_stamp(subject, interest::hash_of(subject));
  }
  bool holds(const interest::stamp& s) const { return interest_.holds(s); }

  endpoint* at(size_t who) const { return endpoints_[who].get(); }
  interest& all() { return interest_; }

private:
  static std::string slots(const std::vector<const subscriber*>& found) {
    std::multiset<uint32_t> sorted;
    for (const auto* s : found) sorted.insert(s->slot);
    std::string text;
    for (auto slot : sorted) text += (text.empty() ? "" : " ") + std::to_string(slot);
    return text;
  }

  rcu_thread rcu_;
  std::vector<endpoint_ptr> endpoints_;
  interest interest_;
};

}  // namespace

TEST_CASE("interest: literals are reached by their own subject") {
  board b;
  b.sub("foo", 1);
  b.sub("foo.bar", 2);
  CHECK(b.reached("foo") == "1");
  CHECK(b.reached("foo.bar") == "2");
  CHECK(b.reached("foo.") == "");
  CHECK(b.reached("Foo") == "");
}

TEST_CASE("interest: wildcards are reached by what they stand for") {
  board b;
  b.sub("*", 1);
  b.sub("foo.*", 2);
  b.sub("foo.>", 3);
  b.sub(">", 4);
  b.sub("*.bar", 5);
  b.sub("foo.*.baz", 6);
  CHECK(b.reached("foo") == "1 4");
  CHECK(b.reached("foo.bar") == "2 3 4 5");
  CHECK(b.reached("foo.bar.baz") == "3 4 6");
  CHECK(b.reached("x.y.z") == "4");
}

TEST_CASE("interest: published wildcards are taken literally") {
  board b;
  b.sub("foo.bar", 1);
  b.sub("foo.*", 2);
  CHECK(b.reached("foo.*") == "2");
  CHECK(b.reached("foo.>") == "2");
  CHECK(b.reached("*.bar") == "");
}

TEST_CASE("interest: a subject with an empty token reaches nobody") {
  board b;
  b.sub(">", 1);
  b.sub("*", 2);
  b.sub("*.*", 3);
  for (const char* subject : {"", ".", "a.", ".a", "a..b"}) CHECK(b.reached(subject) == "");
}

TEST_CASE("interest: the same subject may be subscribed to often") {
  board b;
  for (uint32_t i = 0; i < 200; ++i) b.sub("foo", i);
  for (uint32_t i = 0; i < 200; ++i)
    if (i % 50 != 7) REQUIRE(b.unsub("foo", i));
  CHECK(b.reached("foo") == "7 57 107 157");
}

TEST_CASE("interest: queue groups of one name are one, over all patterns") {
  board b;
  b.sub("foo.bar", 1, "q");
  b.sub("foo.*", 2, "q");
  b.sub("foo.>", 3, "other");
  b.sub(">", 4);
  CHECK(b.reached("foo.bar") == "4 [1 2] [3]");
  CHECK(b.reached("foo.baz") == "4 [2] [3]");
}

TEST_CASE("interest: a queue subscription and a plain one on one subject are two") {
  board b;
  b.sub("foo", 1);
  b.sub("foo", 2, "q");
  CHECK(b.reached("foo") == "1 [2]");
  CHECK(b.unsub("foo", 2, "q"));
  CHECK(b.reached("foo") == "1");
}

TEST_CASE("interest: what is removed is reached no more, and cannot be removed twice") {
  board b;
  for (const char* subject : {"foo", "foo.*", "foo.>", "*.x"}) {
    b.sub(subject, 1);
    CHECK(b.unsub(subject, 1));
    CHECK_FALSE(b.unsub(subject, 1));
    CHECK(b.reached("foo") == "");
    CHECK(b.reached("foo.x") == "");
  }
  CHECK(b.all().stats().subscriptions == 0);
  CHECK(b.all().stats().inserts == 4);
  CHECK(b.all().stats().removes == 4);
}

TEST_CASE("interest: removing asks for the right endpoint, slot and queue group") {
  board b;
  b.sub("foo", 1, "q", 0);
  CHECK_FALSE(b.unsub("foo", 1, "q", 1));
  CHECK_FALSE(b.unsub("foo", 2, "q", 0));
  CHECK_FALSE(b.unsub("foo", 1, "", 0));
  CHECK_FALSE(b.unsub("foo", 1, "other", 0));
  CHECK(b.reached("foo") == "[1]");
  CHECK(b.unsub("foo", 1, "q", 0));
}

TEST_CASE("interest: patterns go with their last subscription, others on the way stay") {
  board b;
  b.sub("a.*.c", 1);
  b.sub("a.*.c.d", 2);
  b.sub("a.*.>", 3);
  CHECK(b.unsub("a.*.c", 1));
  CHECK(b.reached("a.b.c") == "3");
  CHECK(b.reached("a.b.c.d") == "2 3");
  CHECK(b.unsub("a.*.c.d", 2));
  CHECK(b.reached("a.b.c.d") == "3");
  CHECK(b.unsub("a.*.>", 3));
  CHECK(b.reached("a.b.c") == "");
}

TEST_CASE("interest: subjects come and go without a trace") {
  board b;
  for (int i = 0; i < 100'000; ++i) {
    auto name = "_INBOX." + std::to_string(i);
    b.sub(name, 1);
    b.sub(name + ".*", 2);
    if (i % 1000 == 0) CHECK(b.reached(name) == "1");
    REQUIRE(b.unsub(name, 1));
    REQUIRE(b.unsub(name + ".*", 2));
  }
  CHECK(b.all().stats().subscriptions == 0);
}

TEST_CASE("interest: sids may be longer than what is kept in place") {
  board b;
  std::string sid(1000, 's');
  b.all().subscribe({b.at(0), 1, "foo", ""}, 7, sid);
  for (uint32_t i = 2; i < 20; ++i) b.sub("foo", i);
  snapshot_guard guard;
  match_result result;
  b.all().match("foo", interest::hash_of("foo"), result);
  REQUIRE(result.plain.size() == 19);
  CHECK(result.plain[0]->sid() == sid);
  CHECK(result.plain[0]->generation == 7);
  CHECK(result.plain[0]->destination == b.at(0));
}

// ---- stamps ----

TEST_CASE("interest: a literal change ends the stamps of that subject and leaves others") {
  board b;
  auto same = b.stamp("foo.bar"), other = b.stamp("foo.baz"), far = b.stamp("x");
  b.sub("foo.bar", 1);
  CHECK_FALSE(b.holds(same));
  CHECK(b.holds(other));
  CHECK(b.holds(far));
}

TEST_CASE("interest: a pattern ends the stamps of its first two tokens") {
  board b;
  auto near = b.stamp("foo.bar.x"), exact = b.stamp("foo.bar"), other = b.stamp("foo.baz.x"),
       far = b.stamp("x.bar.y");
  b.sub("foo.bar.*", 1);
  CHECK_FALSE(b.holds(near));
  CHECK_FALSE(b.holds(exact));
  CHECK(b.holds(other));
  CHECK(b.holds(far));
}

TEST_CASE("interest: a pattern with one literal token first ends the stamps of that token") {
  board b;
  for (const char* pattern : {"foo.*", "foo.>", "foo.*.x"}) {
    auto near = b.stamp("foo.bar.x"), alone = b.stamp("foo"), far = b.stamp("x.foo");
    b.sub(pattern, 1);
    CHECK_FALSE(b.holds(near));
    CHECK_FALSE(b.holds(alone));
    CHECK(b.holds(far));
  }
}

TEST_CASE("interest: a pattern that starts with a wildcard ends all stamps") {
  board b;
  for (const char* pattern : {"*", ">", "*.x"}) {
    auto any = b.stamp("foo.bar");
    b.sub(pattern, 1);
    CHECK_FALSE(b.holds(any));
  }
}

TEST_CASE("interest: removing ends stamps as adding does; what fails ends none") {
  board b;
  b.sub("foo.bar", 1);
  b.sub("foo.*", 2, "q");
  auto before = b.stamp("foo.bar");
  auto changes = b.all().changes();
  CHECK_FALSE(b.unsub("foo.bar", 9));
  CHECK_FALSE(b.unsub("nothing", 1));
  CHECK(b.holds(before));
  CHECK(b.all().changes() == changes);
  CHECK(b.unsub("foo.bar", 1));
  CHECK_FALSE(b.holds(before));
  before = b.stamp("foo.x");
  CHECK(b.unsub("foo.*", 2, "q"));
  CHECK_FALSE(b.holds(before));
  CHECK(b.all().changes() == changes + 2);
}

TEST_CASE("interest: who stands in for another is reached while that one is not there") {
  constexpr auto stand_in = subscriber::standing_in;
  constexpr auto relief = subscriber::relieving;
  auto text = [](auto... slots) {
    std::string all;
    ((all += (all.empty() ? "" : " ") + std::to_string(slots)), ...);
    return all;
  };
  for (std::string pattern : {"a.b", "a.>"}) {
    board b;
    b.sub(pattern, stand_in);
    CHECK(b.reached("a.b") == text(stand_in));
    b.sub(pattern, 1, {}, 1);
    CHECK(b.reached("a.b") == text(1u, stand_in));
    b.sub(pattern, relief, {}, 2);
    CHECK(b.reached("a.b") == text(1u, relief));
    b.unsub(pattern, relief, {}, 2);
    CHECK(b.reached("a.b") == text(1u, stand_in));
  }
}

#include "actors/connection_record.hpp"
#include "actors/router.hpp"

#include "actors/interest/rcu.hpp"
#include "actors/messages.hpp"
#include "net/protocol/frame_reader.hpp"
#include "world.hpp"

#include <caf/event_based_actor.hpp>
#include <catch2/catch.hpp>
#include <urcu/urcu-memb.h>

#include <set>

using namespace vagus;

namespace {

/// A router over an interest, with endpoints whose actors only collect.
class desk {
public:
  desk() : system_{config_}, loop_{system_, 0} {
    for (uint64_t i = 0; i < 4; ++i) endpoints_.push_back(make_endpoint(i));
  }
  ~desk() {
    for (auto& e : endpoints_) caf::anon_send_exit(e->actor, caf::exit_reason::user_shutdown);
    run();
    endpoints_.clear();
    urcu_memb_barrier();
  }

  void sub(size_t who, std::string_view subject, uint32_t slot, std::string_view queue = {}) {
    interest_.subscribe({at(who), slot, subject, queue}, 1, std::to_string(slot));
  }
  void unsub(size_t who, std::string_view subject, uint32_t slot, std::string_view queue = {}) {
    REQUIRE(interest_.unsubscribe({at(who), slot, subject, queue}));
  }

  /// Publishes one message as the only one of a read; returns how many it was handed to.
  size_t pub(std::string_view subject, const endpoint* self = nullptr) {
    snapshot_guard guard;
    auto n = router_.publish({subject, "", "x", -1, nullptr}, self);
    own_ = router_.flush(self, loop_, INT64_MAX, over_);
    run();
    return n;
  }

  /// Lets the collecting actors have what was sent to them.
  void run() {
    while (loop_.run_ready() > 0 || scheduler().has_job()) scheduler().run();
  }

  /// Slots that got a message since the last call, as "endpoint:slot".
  std::multiset<std::string> got() { return std::exchange(got_, {}); }

  endpoint* at(size_t who) { return endpoints_[who].get(); }
  router& routes() { return router_; }
  interest& subjects() { return interest_; }
  event_loop& loop() { return loop_; }
  frame_batch_ptr own() { return own_; }
  size_t messages() const { return messages_; }
  size_t known_publishers() const { return known_publishers_; }

private:
  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }

  endpoint_ptr make_endpoint(uint64_t id) {
    endpoint_ptr made{new endpoint{id, 1}};
    auto collector = system_.spawn([this, id](caf::event_based_actor*) -> caf::behavior {
      return {[this, id](const frame_batch_ptr& batch) {
        ++messages_;
        if (batch->publisher) ++known_publishers_;
        for (const auto& run : batch->runs())
          for (uint32_t i = 0; i < run.count; ++i)
            got_.insert(std::to_string(id) + ":" + std::to_string(run.slot));
      }};
    });
    made->actor = caf::actor_cast<caf::strong_actor_ptr>(collector);
    return made;
  }

  rcu_thread rcu_;
  test_config config_;
  caf::actor_system system_;
  event_loop loop_;
  interest interest_;
  std::vector<endpoint_ptr> endpoints_;
  router router_{interest_, 0};
  std::multiset<std::string> got_;
  std::vector<router::pressure> over_;
  frame_batch_ptr own_;
  size_t messages_ = 0;
  size_t known_publishers_ = 0;
};

using slots = std::multiset<std::string>;

}  // namespace

TEST_CASE("router: a message goes to everyone whom it reaches, in one batch each") {
  desk d;
  d.sub(0, "foo", 1);
  d.sub(0, "*", 2);
  d.sub(1, ">", 3);
  CHECK(d.pub("foo") == 3);
  CHECK(d.got() == slots{"0:1", "0:2", "1:3"});
  CHECK(d.messages() == 2);
  CHECK(d.pub("bar.baz") == 1);
}

TEST_CASE("router: what one read publishes is one batch for each destination") {
  desk d;
  d.sub(0, "foo", 1);
  {
    snapshot_guard guard;
    std::vector<router::pressure> over;
    for (int i = 0; i < 100; ++i) d.routes().publish({"foo", "", "x", -1, nullptr}, nullptr);
    d.routes().flush(nullptr, d.loop(), INT64_MAX, over);
  }
  d.run();
  CHECK(d.messages() == 1);
  CHECK(d.got().size() == 100);
}

TEST_CASE("router: what is for the publisher itself is given back, not sent") {
  desk d;
  d.sub(0, "foo", 1);
  CHECK(d.pub("foo", d.at(0)) == 1);
  REQUIRE(d.own());
  CHECK(d.own()->runs().size() == 1);
  CHECK(d.messages() == 0);
}

TEST_CASE("router: who wants no echo is not reached by itself, not even as a queue member") {
  desk d;
  d.sub(0, "foo", 1);
  d.sub(0, "foo", 2, "q");
  d.sub(1, "foo", 3, "q");
  d.at(0)->echo = false;
  for (int i = 0; i < 20; ++i) CHECK(d.pub("foo", d.at(0)) == 1);
  CHECK(d.got().count("1:3") == 20);
}

TEST_CASE("router: bytes on their way are counted at the destination, and too many are told") {
  desk d;
  d.sub(0, "foo", 1);
  snapshot_guard guard;
  std::vector<router::pressure> over;
  d.routes().publish({"foo", "", "hello", -1, nullptr}, nullptr);
  d.routes().flush(nullptr, d.loop(), 19, over);
  CHECK(d.at(0)->pending == 20);
  REQUIRE(over.size() == 1);
  CHECK(over[0].destination == d.at(0));
  CHECK(over[0].pending == 20);
}

// ---- the cache ----

TEST_CASE("router: a second message to a subject does not walk again") {
  desk d;
  d.sub(0, "foo", 1);
  for (int i = 0; i < 10; ++i) {
    d.pub("foo");
    d.pub("bar");
  }
  CHECK(d.routes().stats().matches == 2);
}

TEST_CASE("router: every change that matters is seen by the next message") {
  desk d;
  CHECK(d.pub("foo.bar") == 0);
  d.sub(0, "foo.bar", 1);
  CHECK(d.pub("foo.bar") == 1);
  d.sub(1, "foo.*", 2);
  CHECK(d.pub("foo.bar") == 2);
  d.sub(2, "*.bar", 3, "q");
  CHECK(d.pub("foo.bar") == 3);
  d.unsub(1, "foo.*", 2);
  CHECK(d.pub("foo.bar") == 2);
  d.unsub(0, "foo.bar", 1);
  d.unsub(2, "*.bar", 3, "q");
  CHECK(d.pub("foo.bar") == 0);
}

TEST_CASE("router: a change elsewhere leaves what is cached") {
  desk d;
  d.sub(0, "foo.bar", 1);
  d.pub("foo.bar");
  auto walks = d.routes().stats().matches.load();
  for (uint32_t i = 0; i < 50; ++i) {
    d.sub(1, "other." + std::to_string(i), i);
    d.sub(1, "other." + std::to_string(i) + ".*", i);
    d.pub("foo.bar");
  }
  // Subjects share counters by hash, so that some chance is left.
  CHECK(d.routes().stats().matches - walks <= 2);
  CHECK(d.routes().stats().cache_hits >= 48);
}

TEST_CASE("router: a million subjects do not make the cache larger than it may be") {
  desk d;
  d.sub(0, ">", 1);
  snapshot_guard guard;
  std::vector<router::pressure> over;
  for (int i = 0; i < 1'000'000; ++i) {
    auto subject = "subject." + std::to_string(i);
    REQUIRE(d.routes().publish({subject, "", "", -1, nullptr}, nullptr) == 1);
    if (i % 1000 == 0) d.routes().flush(d.at(0), d.loop(), INT64_MAX, over);
  }
  d.routes().flush(d.at(0), d.loop(), INT64_MAX, over);
  CHECK(d.routes().stats().cached <= router::cache_ways * router::cache_sets);
}

// ---- queue groups ----

TEST_CASE("router: queue members get about the same share") {
  desk d;
  for (size_t i = 0; i < 4; ++i) d.sub(i, "foo", 1, "q");
  for (int i = 0; i < 4000; ++i) REQUIRE(d.pub("foo") == 1);
  auto got = d.got();
  for (const char* member : {"0:1", "1:1", "2:1", "3:1"}) {
    CHECK(got.count(member) > 700);
    CHECK(got.count(member) < 1300);
  }
}

TEST_CASE("router: a member that is closing is not chosen") {
  desk d;
  for (size_t i = 0; i < 3; ++i) d.sub(i, "foo", 1, "q");
  d.at(0)->closing = d.at(2)->closing = true;
  for (int i = 0; i < 50; ++i) CHECK(d.pub("foo") == 1);
  CHECK(d.got().count("1:1") == 50);
  d.at(1)->closing = true;
  CHECK(d.pub("foo") == 0);
}

TEST_CASE("router: a plain subscription of who is closing is passed over") {
  desk d;
  d.sub(0, "foo", 1);
  d.at(0)->closing = true;
  CHECK(d.pub("foo") == 0);
}

TEST_CASE("router: republish hands a message to one more member of that group alone") {
  desk d;
  d.sub(0, "foo", 1, "q");
  d.sub(1, "foo", 2, "q");
  d.sub(2, "foo", 3, "other");
  d.sub(3, "foo", 4);
  uint32_t id = 0;
  {
    snapshot_guard guard;
    match_result result;
    d.subjects().match("foo", interest::hash_of("foo"), result);
    for (const auto& q : result.queues)
      if (q.members.size() == 2) id = q.id;
    d.at(0)->closing = true;
    std::vector<router::pressure> over;
    CHECK(d.routes().republish({"foo", "", "x", -1, nullptr}, id) == 1);
    CHECK(d.routes().republish({"foo", "", "x", -1, nullptr}, id + 100) == 0);
    d.routes().flush(nullptr, d.loop(), INT64_MAX, over);
  }
  d.run();
  CHECK(d.got() == slots{"1:2"});
}

TEST_CASE("router: own_sid finds a subscription of one's own, plain or queued") {
  desk d;
  d.sub(0, "inbox.*", 7);
  d.sub(1, "inbox.>", 8, "q");
  snapshot_guard guard;
  CHECK(d.routes().own_sid("inbox.1", d.at(0)) == "7");
  CHECK(d.routes().own_sid("inbox.1", d.at(1)) == "8");
  CHECK(d.routes().own_sid("inbox.1", d.at(2)) == "");
  CHECK(d.routes().own_sid("other", d.at(0)) == "");
}

TEST_CASE("router: who publishes is told to those only that ask for it") {
  desk d;
  auto record = std::make_shared<connection_record>();
  d.at(0)->described = record;
  d.at(1)->wants_publisher = true;
  d.sub(1, "asked", 1);
  d.sub(2, "plain", 2);
  d.pub("plain", d.at(0));
  d.got();
  CHECK(d.known_publishers() == 0);
  d.pub("asked", d.at(0));
  d.got();
  CHECK(d.known_publishers() == 1);
  d.pub("asked");  // the server itself
  d.got();
  CHECK(d.messages() == 3);
  CHECK(d.known_publishers() == 1);
}

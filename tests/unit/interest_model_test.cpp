#include "actors/interest/interest.hpp"
#include "actors/interest/rcu.hpp"
#include "net/subject.hpp"
#include "world.hpp"

#include <catch2/catch.hpp>
#include <urcu/urcu-memb.h>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>

using namespace vagus;

namespace {

struct entry {
  size_t who;
  uint32_t slot;
  std::string subject, queue;
};

using receiver = std::pair<const endpoint*, uint32_t>;
using receivers = std::multiset<receiver>;
using groups = std::multiset<receivers>;

std::string random_text(std::minstd_rand& random, const std::vector<std::string>& tokens) {
  std::string subject = tokens[random() % tokens.size()];
  for (auto n = random() % 4; n > 0; --n) subject += "." + tokens[random() % tokens.size()];
  return subject;
}

/// The interest, and the list that it must agree with.
struct pair_of_both {
  pair_of_both() {
    for (uint64_t i = 0; i < 3; ++i) endpoints.push_back(endpoint_ptr{new endpoint{i, 1}});
  }
  ~pair_of_both() { urcu_memb_barrier(); }

  void add(entry e) {
    subjects.subscribe({endpoints[e.who].get(), e.slot, e.subject, e.queue}, 1, "s");
    list.push_back(std::move(e));
  }
  void remove(size_t at) {
    auto e = list[at];
    REQUIRE(subjects.unsubscribe({endpoints[e.who].get(), e.slot, e.subject, e.queue}));
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
  }

  void compare(const std::string& subject) {
    receivers plain;
    std::map<std::string, receivers> queues;
    for (const auto& e : list)
      if (subject_matches(e.subject, subject))
        (e.queue.empty() ? plain : queues[e.queue]).insert({endpoints[e.who].get(), e.slot});
    groups wanted;
    for (auto& [name, members] : queues) wanted.insert(members);
    snapshot_guard guard;
    match_result result;
    subjects.match(subject, interest::hash_of(subject), result);
    auto texts = [](const auto& found) {
      receivers all;
      for (const auto* s : found) all.insert({s->destination, s->slot});
      return all;
    };
    groups found;
    for (const auto& q : result.queues)
      if (!q.members.empty()) found.insert(texts(q.members));
    INFO(subject);
    REQUIRE(texts(result.plain) == plain);
    REQUIRE(found == wanted);
  }

  rcu_thread rcu;
  std::vector<endpoint_ptr> endpoints;
  interest subjects;
  std::vector<entry> list;
};

}  // namespace

TEST_CASE("interest: random changes and walks agree with a plain list") {
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::minstd_rand random{seed};
  const std::vector<std::string> tokens{"a", "b", "c", "*", ">", "*"};
  const std::vector<std::string> literals{"a", "b", "c", "d", "*", ">", ""};
  const std::vector<std::string> names{"", "", "q", "r"};
  pair_of_both both;
  uint32_t slot = 0;
  for (int i = 0; i < 20'000; ++i) {
    // Grows for a while, then shrinks to nothing, so that patterns appear and are pruned.
    bool grow = both.list.empty() || random() % 100 < (i / 2000 % 2 == 0 ? 60u : 40u);
    auto subject = random_text(random, tokens);
    if (!grow)
      both.remove(random() % both.list.size());
    else if (valid_subject(subject))
      both.add({random() % 3, slot++ % 50'000, subject, names[random() % names.size()]});
    both.compare(random_text(random, literals));
  }
  while (!both.list.empty()) both.remove(both.list.size() - 1);
  both.compare("a.b.c");
  CHECK(both.subjects.stats().subscriptions == 0);
}

TEST_CASE("interest: a walk is true as long as its stamp holds") {
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::minstd_rand random{seed};
  const std::vector<std::string> tokens{"a", "b", "c", "*", ">"};
  const std::vector<std::string> literals{"a", "b", "c"};
  pair_of_both both;
  uint32_t slot = 0;
  for (int i = 0; i < 5000; ++i) {
    auto subject = random_text(random, literals);
    auto hash = interest::hash_of(subject);
    match_result before, after;
    snapshot_guard guard;
    auto stamp = both.subjects.take_stamp(subject, hash);
    both.subjects.match(subject, hash, before);
    auto pattern = random_text(random, tokens);
    if (random() % 2 && !both.list.empty())
      both.remove(random() % both.list.size());
    else if (valid_subject(pattern))
      both.add({random() % 3, slot++, pattern, random() % 2 ? "q" : ""});
    if (!both.subjects.holds(stamp)) continue;
    both.subjects.match(subject, hash, after);
    INFO(subject);
    REQUIRE(before.plain == after.plain);
    REQUIRE(before.queues.size() == after.queues.size());
    for (size_t q = 0; q < before.queues.size(); ++q)
      REQUIRE(before.queues[q].members == after.queues[q].members);
  }
}

namespace {

/// Walks the same subjects over and over; counts walks that miss what is always there, or see it
/// twice.
class reader {
public:
  reader(const interest& of, const endpoint* permanent)
      : interest_{of}, permanent_{permanent}, thread_{[this] { run(); }} {}
  ~reader() { stop(); }

  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  uint64_t walks() const { return walks_; }
  uint64_t wrong() const { return wrong_; }

private:
  void run() {
    rcu_thread rcu;
    match_result result;
    while (!stopping_) {
      for (const char* subject : {"a.b", "a.c.d", "x", "_INBOX.7"}) {
        snapshot_guard guard;
        interest_.match(subject, interest::hash_of(subject), result);
        size_t plain = 0, queued = 0;
        for (const auto* s : result.plain) plain += s->destination == permanent_;
        for (const auto& q : result.queues)
          for (const auto* s : q.members) queued += s->destination == permanent_;
        if (plain != 2 || queued != 1) ++wrong_;
        ++walks_;
      }
    }
  }

  const interest& interest_;
  const endpoint* permanent_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> walks_{0};
  std::atomic<uint64_t> wrong_{0};
  std::thread thread_;
};

}  // namespace

TEST_CASE("interest: readers see what stays exactly once, whatever a writer does beside it") {
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::minstd_rand random{seed};
  endpoint_ptr permanent{new endpoint{1, 1}};
  pair_of_both both;
  uint32_t slot = 0;
  for (const char* subject : {"a.b", "a.c.d", "x", "_INBOX.7"})
    both.subjects.subscribe({permanent.get(), slot++, subject, ""}, 1, "permanent");
  both.subjects.subscribe({permanent.get(), slot++, ">", ""}, 1, "permanent");
  both.subjects.subscribe({permanent.get(), slot++, ">", "q"}, 1, "permanent");
  reader one{both.subjects, permanent.get()}, two{both.subjects, permanent.get()};
  const std::vector<std::string> patterns{"a.b", "a.*", "a.c.d",    "a.c.*",    "x",  "*",
                                          ">",   "*.>", "_INBOX.7", "_INBOX.*", "a.>"};
  // At least so many changes, and until both readers had their share of the processor.
  for (int i = 0; i < 50'000 || one.walks() < 1000 || two.walks() < 1000; ++i) {
    if (both.list.size() < 300 && (both.list.empty() || random() % 2))
      both.add({random() % 3, slot++, patterns[random() % patterns.size()],
                random() % 3 ? "" : (random() % 2 ? "q" : "r")});
    else
      both.remove(random() % both.list.size());
  }
  one.stop();
  two.stop();
  CHECK(one.wrong() == 0);
  CHECK(two.wrong() == 0);
}

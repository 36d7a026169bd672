#include "storage/gone_set.hpp"
#include "storage_fixture.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <utility>

using namespace vagus;
using namespace vagus::testing;

namespace {

std::vector<uint64_t> walk(store_snapshot& snapshot) {
  std::vector<uint64_t> seen;
  for (auto m = snapshot.next_message(1); m; m = snapshot.next_message(m->seq + 1))
    seen.push_back(m->seq);
  return seen;
}

/// A hundred messages that the index on the disk knows, some of them removed in no order.
void remove_some(bench_store& s) {
  for (int i = 0; i < 100; ++i) s.store(i % 2 ? "s.odd" : "s.even");
  s.reopen();
  for (uint64_t seq : {90, 50, 91, 10, 100, 51, 11, 99, 52}) s.apply(delete_proposal{seq});
}

}  // namespace

TEST_CASE("storage: messages whose records stay in place are gone for all who ask") {
  bench_store s{bench_store::kind::lmdb};
  remove_some(s);
  bool again = GENERATE(false, true);
  if (again) s.reopen();
  auto snapshot = std::move(*s->read());
  CHECK_FALSE(snapshot->message(50));
  CHECK(snapshot->next_message(50)->seq == 53);
  CHECK(*snapshot->first_at_or_after(10) == 12);
  CHECK(*snapshot->last(">") == 98);
  CHECK(*snapshot->last("s.even") == 97);
  CHECK(*snapshot->count("s.odd", 90) == 4);
  CHECK(*snapshot->next(">", 49, 2) == std::vector<uint64_t>{49, 53});
  CHECK(walk(*snapshot).size() == 91);
  CHECK(s.state().num_deleted() == 9);
}

TEST_CASE("storage: a snapshot keeps the messages that are removed after it") {
  bench_store s{bench_store::kind::lmdb};
  remove_some(s);
  auto before = std::move(*s->read());
  s.apply(delete_proposal{70});
  s.apply(delete_proposal{30});
  auto after = std::move(*s->read());
  CHECK(before->message(70));
  CHECK(walk(*before).size() == 91);
  CHECK(*before->count(">", 60) == 37);
  CHECK_FALSE(after->message(70));
  CHECK(walk(*after).size() == 89);
  // The index is brought up to date, and the records are taken out.
  for (int i = 0; i < 100; ++i) s.store("s.more");
  CHECK(walk(*before).size() == 91);
  CHECK(walk(*after).size() == 89);
  CHECK(walk(**s->read()).size() == 189);
}

TEST_CASE("storage: the first message moves past those whose records stay in place") {
  bench_store s{bench_store::kind::lmdb};
  remove_some(s);
  for (uint64_t seq = 1; seq <= 9; ++seq) s.apply(delete_proposal{seq});
  CHECK(s.state().first_seq == 12);
  CHECK_FALSE((*s->read())->message(10));
  s.apply(purge_proposal{"", 53, 0, 0});
  CHECK(s.state().first_seq == 53);
}

TEST_CASE("storage: the records that stay in place take a limited part of the file") {
  auto options = small_steps();
  options.changes_per_fold = 1'000'000;
  options.taken_out_per_batch = 8192;
  bench_store s{bench_store::kind::lmdb, options};
  std::string payload(3000, 'p');
  std::vector<uint64_t> there;
  std::mt19937 random{1};
  auto store_some = [&](int batches) {
    for (int k = 0; k < batches; ++k) {
      batch_builder batch{s.now += 1000};
      store_proposal p;
      p.subject = "s";
      p.payload = payload;
      for (int i = 0; i < 1000; ++i) batch.add(p);
      for (const auto& o : s->append(batch.bytes()).outcomes) there.push_back(o.seq);
    }
  };
  store_some(15);
  s.reopen();
  auto used = s.lmdb().size().file;
  for (int k = 0; k < 40; ++k) {
    batch_builder batch{s.now += 1000};
    for (int i = 0; i < 1000; ++i) {
      auto& seq = there[random() % there.size()];
      batch.add(delete_proposal{std::exchange(seq, there.back())});
      there.pop_back();
    }
    REQUIRE_FALSE(s->append(batch.bytes()).error);
    store_some(1);
  }
  REQUIRE(s.state().msgs == 15'000);
  CHECK(s.lmdb().size().file < 3 * used / 2);
}

TEST_CASE("gone set: who sees what was added") {
  gone_set gone;
  CHECK_FALSE(gone.has(7, UINT64_MAX));
  CHECK(gone.sequences().empty());
  for (uint64_t i = 1; i <= 50'000; ++i) gone.add(i * 977, i);
  CHECK(gone.size() == 50'000);
  CHECK(gone.has(977, 1));
  CHECK_FALSE(gone.has(977, 0));
  CHECK(gone.has(977 * 40'000, 40'000));
  CHECK_FALSE(gone.has(977 * 40'000, 39'999));
  CHECK_FALSE(gone.has(978, UINT64_MAX));
  auto all = gone.sequences();
  REQUIRE(all.size() == 50'000);
  CHECK(std::is_sorted(all.begin(), all.end()));
  CHECK(all.back() == 977 * 50'000);
}

TEST_CASE("gone set: many records passed in a row ask for their removal") {
  gone_set gone;
  gone.note_passed(gone_set::crowd - 1);
  CHECK_FALSE(gone.crowded());
  gone.note_passed(gone_set::crowd);
  CHECK(gone.crowded());
}

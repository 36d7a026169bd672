#include "storage_fixture.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace vagus;
using namespace vagus::testing;

namespace {

/// True if what the snapshot says in different ways fits together.
bool consistent(store_snapshot& snapshot) {
  const auto& state = snapshot.state();
  auto all = snapshot.count("*.*");
  auto subjects = snapshot.subjects(">", {}, 1000);
  auto from = state.first_seq + (state.last_seq - state.first_seq) / 2;
  auto half = snapshot.count("s.*", from);
  auto rest = snapshot.next(">", from, 100'000);
  auto last = snapshot.last("s.*");
  if (!all || !subjects || !half || !rest || !last) return false;
  uint64_t sum = 0;
  for (const auto& s : *subjects) sum += s.msgs;
  if (*all != state.msgs || sum != state.msgs || subjects->size() != state.num_subjects)
    return false;
  if (*half != rest->size()) return false;
  for (auto seq : *rest)
    if (!snapshot.message(seq)) return false;
  return state.msgs == 0 || *last <= state.last_seq;
}

}  // namespace

TEST_CASE("storage: snapshots on other threads are consistent while batches are applied") {
  auto kind = GENERATE(bench_store::kind::memory, bench_store::kind::lmdb);
  auto options = small_steps();
  options.first_map = 1 << 20;
  options.changes_per_fold = 150;
  bench_store s{kind, options};
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::atomic<int> looked{0};
  auto look = [&] {
    while (!done) {
      auto snapshot = s->read();
      if (!snapshot || !consistent(**snapshot)) ++wrong;
      ++looked;
    }
  };
  std::thread one{look};
  std::thread two{look};
  for (int i = 0; i < 400 || looked < 50; ++i) {
    batch_builder batch{s.now += 1000};
    for (int k = 0; k < 20; ++k) {
      auto subject = "s." + std::to_string((i * k) % 23);
      store_proposal p;
      p.subject = subject;
      p.rollup_all = i % 50 == 49 && k < 3;
      p.rollup_subject = i % 7 == 6 && k == 5;
      batch.add(p);
      batch.add(delete_proposal{static_cast<uint64_t>(20 * i + k - 30)});
    }
    auto result = s->append(batch.bytes());
    if (result.error) ++wrong;
  }
  done = true;
  one.join();
  two.join();
  REQUIRE(wrong == 0);
  if (kind == bench_store::kind::lmdb) REQUIRE(s.lmdb().verify(5, {}).empty());
}

#include "storage/bytes.hpp"
#include "storage_fixture.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

using namespace vagus;
using namespace vagus::testing;

namespace fs = std::filesystem;

namespace {

const size_t patience = lmdb_store_options{}.alone_after_read;

lmdb_store_options with_log() {
  auto options = small_steps();
  options.sync = true;
  options.spare_disk = 0;
  return options;
}

/// A store whose batches are committed together.
struct together : bench_store {
  explicit together(lmdb_store_options options = with_log()) : bench_store{kind::lmdb, options} {
    again();
  }
  void again() {
    (*this)->commit_together([] {});
  }
  void store_many(size_t count, std::string_view payload = "x") {
    for (size_t i = 0; i < count; ++i)
      REQUIRE(store("s." + std::to_string(i % 7), payload).error == store_errc::none);
  }
  /// How many were ever begun: the higher epoch of the log's two files.
  uint64_t checkpoints() const {
    uint64_t most = 0;
    for (auto name : {"log.0", "log.1"}) {
      std::ifstream in{path() / name, std::ios::binary};
      std::string head(16, '\0');
      if (in.read(head.data(), 16)) most = std::max(most, load_le<uint64_t>(head.data() + 8));
    }
    return most;
  }
  /// What a process finds that opens the files as they are now, as after kill -9.
  uint64_t found_after_a_crash() const {
    scratch copy;
    auto there = copy.path() / "copy";
    fs::copy(path(), there, fs::copy_options::recursive);
    fs::remove(there / "lock.mdb");
    auto opened = lmdb_store::open(there, {}, with_log());
    REQUIRE(opened);
    REQUIRE((*opened)->verify(3, {}).empty());
    return (*(*opened)->read())->state().msgs;
  }
};

/// The thread of `append`, which others can give work.
class writer_thread {
public:
  ~writer_thread() {
    run([this] { ended_ = true; });
    thread_.join();
  }
  void run(std::function<void()> job) {
    std::lock_guard lock{mutex_};
    jobs_.push_back(std::move(job));
    changed_.notify_one();
  }

private:
  void work() {
    while (!ended_) {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return !jobs_.empty(); });
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool ended_ = false;
  std::thread thread_{[this] { work(); }};
};

}  // namespace

TEST_CASE("storage: batches that nobody reads are committed together, and are seen by who does") {
  together s;
  s.store_many(10);
  CHECK(s->uncommitted());
  CHECK(s.state().msgs == 10);
  CHECK_FALSE(s->uncommitted());
  CHECK(s.count("s.2") == 2);
}

TEST_CASE("storage: for a while after a read every batch is committed by itself") {
  together s;
  CHECK(s.state().msgs == 0);
  s.store_many(patience);
  CHECK_FALSE(s->uncommitted());
  s.store_many(1);
  CHECK(s->uncommitted());
  CHECK_FALSE(s->commit());
  CHECK_FALSE(s->uncommitted());
}

TEST_CASE("storage: without a log every batch is committed by itself") {
  together s{small_steps()};
  s.store_many(3);
  CHECK_FALSE(s->uncommitted());
}

TEST_CASE("storage: on a disk that is nearly full every batch is committed by itself") {
  auto options = with_log();
  options.spare_disk = UINT64_MAX;
  together s{options};
  s.store_many(3);
  CHECK_FALSE(s->uncommitted());
}

TEST_CASE("storage: what is not committed is in the log when the process dies") {
  together s;
  s.store_many(1);
  CHECK(s.found_after_a_crash() == 1);
  s.store_many(30);
  CHECK(s->uncommitted());
  CHECK(s.found_after_a_crash() == 31);
}

TEST_CASE("storage: a checkpoint does not forget what is not committed") {
  auto options = with_log();
  if (GENERATE(false, true))
    options.log_batches = 5;
  else
    options.log_growth = 1;
  together s{options};
  for (uint64_t stored = 1; stored <= 40; ++stored) {
    s.store_many(1);
    CHECK(s.found_after_a_crash() == stored);
  }
}

TEST_CASE("storage: a checkpoint is made when the environment has grown") {
  auto options = with_log();
  options.log_growth = uint64_t{1} << 20;
  together s{options};
  auto begun = s.checkpoints();
  s.store_many(1);
  CHECK(s.checkpoints() == begun);
  s.store_many(40, std::string(64 << 10, 'p'));
  CHECK_FALSE(s->commit());
  s.store_many(1);
  CHECK(s.checkpoints() > begun);
  CHECK(s.found_after_a_crash() == 42);
}

TEST_CASE("storage: a committed batch has all that it takes to know what is removed") {
  auto options = with_log();
  options.changes_per_fold = 70'000;
  together s{options};
  // Fewer than wait for a commit, and more.
  uint64_t removed = GENERATE(30u, 68'000u);
  store_proposal p;
  p.subject = "s.1";
  batch_builder stores{s.now};
  for (int i = 0; i < 70'000; ++i) stores.add(p);
  REQUIRE_FALSE(s->append(stores.bytes()).error);
  REQUIRE_FALSE(s->commit());
  for (auto seq = removed; seq > 0; seq -= removed / 2) {
    batch_builder deletes{s.now};
    for (auto i = seq; i > seq - removed / 2; --i) deletes.add(delete_proposal{i});
    REQUIRE_FALSE(s->append(deletes.bytes()).error);
  }
  REQUIRE(s->uncommitted());
  REQUIRE_FALSE(s->commit());
  scratch copies;
  REQUIRE_FALSE(s.lmdb().copy(copies.path() / "copy", false, {}));
  auto copy = lmdb_store::open(copies.path() / "copy", {}, options);
  REQUIRE(copy);
  CHECK((*copy)->verify(3, {}).empty());
  auto snapshot = std::move(*(*copy)->read());
  CHECK(*snapshot->count("s.*") == 70'000 - removed);
  CHECK(*snapshot->next("s.1", 0, 1) == std::vector{removed + 1});
}

TEST_CASE("storage: closing keeps what is not committed") {
  together s;
  s.store_many(20);
  REQUIRE(s->uncommitted());
  s.reopen();
  CHECK(s.state().msgs == 20);
}

TEST_CASE("storage: purges and limits among batches that are committed together") {
  together s;
  s.store_many(30);
  s.apply(purge_proposal{});
  s.store_many(5);
  s.apply(delete_proposal{32});
  REQUIRE(s->uncommitted());
  CHECK(s.found_after_a_crash() == 4);
  CHECK(s.state().msgs == 4);
  CHECK(s.next(">") == std::vector<uint64_t>{31, 33, 34, 35});
  CHECK(s.lmdb().verify(3, {}).empty());
}

TEST_CASE("storage: the map grows with batches that are not committed") {
  auto options = with_log();
  options.first_map = size_t{1} << 20;
  together s{options};
  std::string payload(64 << 10, 'p');
  s.store_many(400, payload);
  CHECK(s.state().msgs == 400);
  CHECK(s.lmdb().verify(3, {}).empty());
}

TEST_CASE("storage: a batch for which there is no room takes none of those before it along") {
  auto options = with_log();
  options.first_map = options.largest_map = size_t{4} << 20;
  together s{options};
  s.store_many(10);
  REQUIRE(s->uncommitted());
  std::string payload(8 << 20, 'p');
  batch_builder large{s.now};
  large.add(store_proposal{.subject = "s", .payload = payload});
  CHECK(s->append(large.bytes()).error.code == store_errc::no_space);
  CHECK(s.state().msgs == 10);
  CHECK(s.count("s.*") == 10);
  CHECK_FALSE(s->retry());
  s.store_many(1);
  CHECK(s.state().msgs == 11);
  CHECK(s.found_after_a_crash() == 11);
}

TEST_CASE("storage: readers on other threads see what was answered, whoever commits it") {
  together s;
  std::atomic<uint64_t> answered{0};
  std::atomic<bool> over{false};
  {
    writer_thread writer;
    s->commit_together([&] { writer.run([&] { s->commit(); }); });
    std::function<void()> next = [&] {
      s.store_many(1);
      ++answered;
      if (!over) writer.run(next);
    };
    writer.run(next);
    for (int reads = 0; reads < 40; ++reads) {
      // Long enough after the last read for batches to be left open again.
      auto wanted = answered + patience + 20;
      while (answered < wanted) std::this_thread::yield();
      uint64_t before = answered;
      CHECK(s.state().msgs >= before);
    }
    over = true;
  }
  CHECK(s.state().msgs == answered);
}

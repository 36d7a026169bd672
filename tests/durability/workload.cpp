#include "workload.hpp"

#include "storage/batch.hpp"

#include <random>

namespace vagus::testing {

namespace {

constexpr int64_t second = 1'000'000'000;

class batch_maker {
public:
  batch_maker(uint64_t seed, unsigned stream, uint64_t n)
      : random_{seed * 1'000'003 + stream * 7919 + n * 104'729},
        n_{n},
        batch_{static_cast<int64_t>(1000 + n) * second} {}

  std::string make() {
    if (n_ == 1 || pick(60) == 0) configure();
    if (pick(12) == 0) batch_.add(expire_proposal{});
    for (auto count = 1 + pick(8); count > 0; --count) one();
    return std::string{batch_.bytes()};
  }

private:
  uint64_t pick(uint64_t below) { return random_() % below; }

  void configure() {
    store_limits limits;
    limits.duplicate_window_ns = 100'000 * second;
    if (pick(2)) limits.max_msgs = static_cast<int64_t>(100 + pick(400));
    if (pick(2)) limits.max_msgs_per_subject = static_cast<int64_t>(5 + pick(50));
    if (pick(3) == 0) limits.max_age_ns = static_cast<int64_t>(20 + pick(100)) * second;
    if (pick(2)) limits.subject_delete_marker_ttl_ns = 9 * second;
    limits.compress = limits.max_msgs_per_subject % 2 == 1;
    batch_.add(configure_proposal{limits, "{}"});
  }

  void one() {
    switch (pick(24)) {
      case 0:
      case 1:
        batch_.add(delete_proposal{pick(4 * n_ + 1)});
        return;
      case 2:
        if (pick(6) == 0) batch_.add(purge_proposal{"s.1", 0, pick(4), 0});
        if (pick(40) == 0) batch_.add(purge_proposal{});
        return;
      case 3:
        consumer();
        return;
      default:
        store();
    }
  }

  /// Rows from a few bytes up to several pages, some of them as a work queue writes them: together
  /// with the removal of what is acknowledged.
  void consumer() {
    auto name = "worker." + std::to_string(pick(4));
    if (pick(10) == 0) {
      batch_.add(consumer_delete_proposal{name});
      return;
    }
    auto row = std::to_string(n_) + std::string(pick(4) == 0 ? pick(20'000) : pick(60), 'r');
    batch_.add(consumer_put_proposal{name, row});
    for (auto done = pick(3); done > 0; --done) batch_.add(delete_proposal{pick(4 * n_ + 1)});
  }

  void store() {
    auto subject = "s." + std::to_string(pick(9));
    auto id = std::to_string(n_) + "." + std::to_string(next_id_++);
    auto payload = id + std::string(pick(12) == 0 ? pick(9000) : pick(200), 'p');
    store_proposal p;
    p.subject = subject;
    p.payload = payload;
    if (pick(5)) p.msg_id = id;
    if (pick(10) == 0) p.ttl_ns = static_cast<int64_t>(1 + pick(30)) * second;
    p.rollup_subject = pick(40) == 0;
    batch_.add(p);
  }

  std::mt19937_64 random_;
  uint64_t n_;
  uint64_t next_id_ = 0;
  batch_builder batch_;
};

}  // namespace

std::string workload_batch(uint64_t seed, unsigned stream, uint64_t n) {
  return batch_maker{seed, stream, n}.make();
}

std::filesystem::path workload_directory(const std::filesystem::path& dir, unsigned stream) {
  return dir / ("stream" + std::to_string(stream));
}

lmdb_store_options workload_options(workload_mode mode) {
  lmdb_store_options options;
  options.sync = mode != workload_mode::unsynced;
  options.sync_each_batch = mode != workload_mode::relaxed;
  options.first_map = size_t{1} << 20;
  options.changes_per_fold = 40;
  options.gone_apart = 2;
  options.taken_out_per_batch = 3;
  options.ids_per_fold = 16;
  options.ids_per_bucket = 64;
  options.log_batches = 7;
  options.alone_after_read = 1;  // mostly several batches in one commit
  options.spare_disk = 0;
  return options;
}

}  // namespace vagus::testing

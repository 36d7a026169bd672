#include "storage/lmdb_overlay.hpp"

#include <mutex>

namespace vagus {

subject_delta& index_overlay::make(std::string_view subject, std::string key,
                                   uint64_t base_count) {
  std::unique_lock lock{mutex_};
  auto& delta = deltas_[std::move(key)];
  delta.subject = subject;
  delta.base_count = base_count;
  by_name_.emplace(delta.subject, &delta);
  bytes_ += 2 * subject.size() + 256;
  return delta;
}

void index_overlay::add(subject_delta& delta, uint64_t seq) {
  std::unique_lock lock{mutex_};
  delta.added.push_back(seq);
  ++changes_;
  bytes_ += 8;
}

void index_overlay::remove(subject_delta& delta, uint64_t seq, uint64_t batch) {
  std::unique_lock lock{mutex_};
  delta.removed.emplace_back(seq, batch);
  ++changes_;
  bytes_ += 16;
}

void index_overlay::raise_floor(subject_delta& delta, uint64_t floor, uint64_t batch) {
  if (floor <= delta.floor) return;
  std::unique_lock lock{mutex_};
  delta.floor = floor;
  delta.floor_batch = batch;
}

}  // namespace vagus

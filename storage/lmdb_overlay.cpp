#include "storage/lmdb_overlay.hpp"

namespace vagus {

void index_overlay::hold() {
  if (!held_) mutex_.lock();
  held_ = true;
}

void index_overlay::release() {
  if (held_) mutex_.unlock();
  held_ = false;
}

subject_delta* index_overlay::find_slot(std::string_view subject) const {
  if (slots_.empty()) return nullptr;
  auto hash = hash_bytes(subject);
  auto mask = slots_.size() - 1;
  for (auto at = hash & mask; slots_[at].second != nullptr; at = (at + 1) & mask)
    if (slots_[at].first == hash && slots_[at].second->subject == subject) return slots_[at].second;
  return nullptr;
}

void index_overlay::prefetch(std::string_view subject, bool near) const {
  if (slots_.empty()) return;
  const auto& [hash, delta] = slots_[hash_bytes(subject) & (slots_.size() - 1)];
  if (!near) return __builtin_prefetch(&hash);
  if (delta == nullptr) return;
  __builtin_prefetch(delta);
  __builtin_prefetch(reinterpret_cast<const char*>(delta) + 64);
}

void index_overlay::add_slot(uint64_t hash, subject_delta* delta) {
  auto mask = slots_.size() - 1;
  auto at = hash & mask;
  while (slots_[at].second != nullptr) at = (at + 1) & mask;
  slots_[at] = {hash, delta};
}

subject_delta& index_overlay::make(std::string_view subject, std::string key, uint64_t base_count) {
  hold();
  auto& delta = deltas_[std::move(key)];
  delta.subject = subject;
  delta.base_count = base_count;
  if (2 * deltas_.size() > slots_.size()) {
    slots_.assign(slots_.empty() ? 64 : 2 * slots_.size(), slot{});
    for (auto& [ignored, d] : deltas_) add_slot(hash_bytes(d.subject), &d);
  } else {
    add_slot(hash_bytes(subject), &delta);
  }
  bytes_ += 2 * subject.size() + 256;
  return delta;
}

void index_overlay::add(subject_delta& delta, uint64_t seq) {
  hold();
  delta.added.push_back(seq);
  ++changes_;
  bytes_ += 8;
}

void index_overlay::remove(subject_delta& delta, uint64_t seq, uint64_t batch) {
  hold();
  delta.removed.emplace_back(seq, batch);
  ++changes_;
  bytes_ += 16;
}

void index_overlay::leave_record(uint64_t seq, uint64_t batch) {
  gone_.add(seq, batch);
  bytes_ += 32;
}

void index_overlay::raise_floor(subject_delta& delta, uint64_t floor, uint64_t batch) {
  if (floor <= delta.floor) return;
  hold();
  delta.floor = floor;
  delta.floor_batch = batch;
}

}  // namespace vagus

#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace vagus {

/// Hashes and sequences in open addressing; a hash may be there more than once. Nothing is removed
/// singly. Sequences are never 0.
class id_table {
public:
  void add(uint64_t hash, uint64_t seq) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    place(hash, seq);
    ++size_;
  }

  /// Calls `f(seq)` for each sequence of `hash`.
  template <class F>
  void each(uint64_t hash, F&& f) const {
    if (slots_.empty()) return;
    for (auto at = hash & mask(); slots_[at].second != 0; at = (at + 1) & mask())
      if (slots_[at].first == hash) f(slots_[at].second);
  }

  void prefetch(uint64_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash & mask()]);
  }

  size_t size() const { return size_; }
  /// All of it; empty slots have the sequence 0.
  const std::vector<std::pair<uint64_t, uint64_t>>& slots() const { return slots_; }
  void clear() {
    slots_ = {};
    size_ = 0;
  }

private:
  uint64_t mask() const { return slots_.size() - 1; }

  void place(uint64_t hash, uint64_t seq) {
    auto at = hash & mask();
    while (slots_[at].second != 0) at = (at + 1) & mask();
    slots_[at] = {hash, seq};
  }

  void grow() {
    auto old = std::move(slots_);
    slots_.assign(old.empty() ? 256 : 2 * old.size(), {0, 0});
    for (auto [hash, seq] : old)
      if (seq != 0) place(hash, seq);
  }

  std::vector<std::pair<uint64_t, uint64_t>> slots_;
  size_t size_ = 0;
};

}  // namespace vagus

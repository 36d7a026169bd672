#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace vagus {

/// Messages that are gone although their records are still in place, and the batch that removed
/// each. One thread adds, any may ask meanwhile; nobody waits. Only grows.
///
/// A reader has to ask after it has seen the commit of its batch, or of a later one: what was added
/// since may or may not be found, and is of a later batch.
class gone_set {
public:
  gone_set() = default;
  gone_set(const gone_set&) = delete;
  gone_set& operator=(const gone_set&) = delete;

  /// Whether `seq` was removed by `batch` or one before it.
  bool has(uint64_t seq, uint64_t batch) const {
    const auto* t = table_.load(std::memory_order_acquire);
    return t != nullptr && t->has(seq, batch);
  }

  // The writer's:

  /// `seq` is not 0 and not there yet.
  void add(uint64_t seq, uint64_t batch);
  size_t size() const { return size_; }
  /// All of them, ascending.
  std::vector<uint64_t> sequences() const;

  /// That many records had to be passed over in a row: it is time to take them out.
  static constexpr size_t crowd = 4096;
  void note_passed(size_t records) const {
    if (records >= crowd) crowded_.store(true, std::memory_order_relaxed);
  }
  bool crowded() const { return crowded_.load(std::memory_order_relaxed); }

private:
  struct entry {
    std::atomic<uint64_t> seq{0};  ///< written last; 0: free
    std::atomic<uint64_t> batch{0};
  };

  /// Open addressing, at most half full.
  struct table {
    explicit table(size_t size) : entries{std::make_unique<entry[]>(size)}, mask{size - 1} {}
    bool has(uint64_t seq, uint64_t batch) const;
    void put(uint64_t seq, uint64_t batch);
    size_t slot_of(uint64_t seq) const { return (seq * 0x9E3779B97F4A7C15ull >> 32) & mask; }

    std::unique_ptr<entry[]> entries;
    size_t mask;
  };

  void grow();

  std::atomic<const table*> table_{nullptr};
  std::vector<std::unique_ptr<table>>
      tables_;  ///< the last is in use, readers may be in the others
  size_t size_ = 0;
  mutable std::atomic<bool> crowded_{false};
};

}  // namespace vagus

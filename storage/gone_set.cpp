#include "storage/gone_set.hpp"

#include <algorithm>

/// Records that stay in place
/// --------------------------
/// To take a record out of the middle of a stream costs a page of LMDB: read, copied, changed and
/// written, for a message of some hundred bytes. Removals that come in no order (a work queue's
/// acknowledgements, keys that get new values, clients that delete) would write ten times what
/// they remove.
///
/// Operation. Such a record stays where it is. Its removal is told in a row of `removals`, which
/// the subject index wants anyway, and an entry in this set; who reads messages asks the set. When
/// the index is brought up to date, the records are taken out first, in the order of their
/// sequences and some with every batch: a page is written once for all that it loses. After a crash
/// the set is read again from those rows; that some of the records are no longer there does no
/// harm.
///
/// Which. Not the first of the stream nor a neighbour of the one removed before: they are on a page
/// that is being changed anyway. Not what the index on the disk does not know, whose removal no row
/// tells. None of a very large stream, where few removals meet on a page, and none while records
/// are taken out.
///
/// Limits. They take at most a quarter of the stream's bytes, and 4 to 64 MiB; and where a reader
/// has had to pass over very many in a row, the next batches take them out.

namespace vagus {

namespace {

constexpr size_t first_size = 1024;
constexpr size_t growth = 4;

}  // namespace

bool gone_set::table::has(uint64_t seq, uint64_t batch) const {
  for (auto at = slot_of(seq);; at = (at + 1) & mask) {
    auto found = entries[at].seq.load(std::memory_order_acquire);
    if (found == seq) return entries[at].batch.load(std::memory_order_relaxed) <= batch;
    if (found == 0) return false;
  }
}

void gone_set::table::put(uint64_t seq, uint64_t batch) {
  auto at = slot_of(seq);
  while (entries[at].seq.load(std::memory_order_relaxed) != 0) at = (at + 1) & mask;
  entries[at].batch.store(batch, std::memory_order_relaxed);
  entries[at].seq.store(seq, std::memory_order_release);
}

void gone_set::add(uint64_t seq, uint64_t batch) {
  if (tables_.empty() || 2 * size_ > tables_.back()->mask) grow();
  tables_.back()->put(seq, batch);
  ++size_;
}

void gone_set::grow() {
  auto size = tables_.empty() ? first_size : growth * (tables_.back()->mask + 1);
  auto next = std::make_unique<table>(size);
  if (!tables_.empty()) {
    const auto& now = *tables_.back();
    for (size_t at = 0; at <= now.mask; ++at)
      if (auto seq = now.entries[at].seq.load(std::memory_order_relaxed))
        next->put(seq, now.entries[at].batch.load(std::memory_order_relaxed));
  }
  tables_.push_back(std::move(next));
  table_.store(tables_.back().get(), std::memory_order_release);
}

std::vector<uint64_t> gone_set::sequences() const {
  std::vector<uint64_t> all;
  if (tables_.empty()) return all;
  all.reserve(size_);
  const auto& now = *tables_.back();
  for (size_t at = 0; at <= now.mask; ++at)
    if (auto seq = now.entries[at].seq.load(std::memory_order_relaxed)) all.push_back(seq);
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace vagus

#include "actors/jetstream/pending_table.hpp"

#include <algorithm>
#include <cassert>
#include <functional>

namespace vagus {

const pending_ack* pending_table::find(uint64_t seq) const {
  if (head_ == entries_.size() || seq < entries_[head_].stream_seq) return nullptr;
  auto guess = seq - entries_[head_].stream_seq;
  const pending_ack* found = nullptr;
  if (guess < entries_.size() - head_ && entries_[head_ + guess].stream_seq == seq) {
    found = &entries_[head_ + guess];
  } else {
    auto from = entries_.begin() + static_cast<ptrdiff_t>(head_);
    auto at = std::lower_bound(from, entries_.end(), seq,
                               [](const pending_ack& e, uint64_t s) { return e.stream_seq < s; });
    if (at == entries_.end() || at->stream_seq != seq) return nullptr;
    found = &*at;
  }
  return found->gone ? nullptr : found;
}

pending_ack* pending_table::mutable_find(uint64_t seq) {
  return const_cast<pending_ack*>(find(seq));
}

void pending_table::add(uint64_t seq, uint64_t consumer_seq, int64_t due) {
  restore({seq, consumer_seq, due, 1});
}

void pending_table::restore(const pending_ack& entry) {
  assert(entries_.empty() || entries_.back().stream_seq < entry.stream_seq);
  entries_.push_back(entry);
  if (entry.deliveries > 1) ++redelivered_;
  if (entry.queued) {
    entries_.back().queued = false;
    queue(entry.stream_seq);
  } else {
    push_deadline(entry.when, entry.stream_seq);
  }
}

void pending_table::erase(uint64_t seq) {
  auto* entry = mutable_find(seq);
  if (entry == nullptr) return;
  leave_queue(*entry);
  if (entry->deliveries > 1) --redelivered_;
  entry->gone = true;
  ++dead_;
  while (head_ < entries_.size() && entries_[head_].gone) ++head_, --dead_;
  compact();
}

void pending_table::compact() {
  if (head_ == entries_.size()) {
    // What a burst has taken is given back.
    if (entries_.capacity() > 1024) {
      std::vector<pending_ack>{}.swap(entries_);
      std::vector<deadline>{}.swap(deadlines_);
    }
    entries_.clear();
    deadlines_.clear();
    head_ = 0;
    return;
  }
  if (head_ + dead_ <= size() + 64) return;
  std::erase_if(entries_, [](const pending_ack& e) { return e.gone; });
  head_ = dead_ = 0;
}

void pending_table::leave_queue(pending_ack& entry) {
  if (!entry.queued) return;
  entry.queued = false;
  --queued_;
  compact_queue();
}

void pending_table::compact_queue() {
  if (queued_ == 0) {
    queue_base_ += static_cast<int64_t>(queue_.size());
    queue_.clear();
    queue_head_ = 0;
    return;
  }
  if (queue_.size() - queued_ <= queued_ + 64) return;
  auto order = queue_order();
  queue_base_ += static_cast<int64_t>(queue_.size());
  queue_ = std::move(order);
  queue_head_ = 0;
  for (size_t i = 0; i < queue_.size(); ++i)
    mutable_find(queue_[i])->when = queue_base_ + static_cast<int64_t>(i);
}

void pending_table::queue(uint64_t seq) {
  auto* entry = mutable_find(seq);
  if (entry == nullptr || entry->queued) return;
  entry->queued = true;
  entry->when = queue_base_ + static_cast<int64_t>(queue_.size());
  queue_.push_back(seq);
  ++queued_;
}

void pending_table::await(uint64_t seq, int64_t due, uint32_t deliveries) {
  auto* entry = mutable_find(seq);
  if (entry == nullptr) return;
  leave_queue(*entry);
  redelivered_ += static_cast<size_t>(deliveries > 1) - static_cast<size_t>(entry->deliveries > 1);
  entry->deliveries = deliveries;
  entry->when = due;
  push_deadline(due, seq);
}

std::vector<uint64_t> pending_table::queue_order() const {
  std::vector<uint64_t> order;
  order.reserve(queued_);
  for (size_t i = queue_head_; i < queue_.size(); ++i) {
    const auto* entry = find(queue_[i]);
    if (entry != nullptr && entry->queued && entry->when == queue_base_ + static_cast<int64_t>(i))
      order.push_back(queue_[i]);
  }
  return order;
}

std::optional<uint64_t> pending_table::front() {
  for (; queue_head_ < queue_.size(); ++queue_head_) {
    const auto* entry = find(queue_[queue_head_]);
    auto place = queue_base_ + static_cast<int64_t>(queue_head_);
    if (entry != nullptr && entry->queued && entry->when == place) return queue_[queue_head_];
  }
  return std::nullopt;
}

void pending_table::push_deadline(int64_t time, uint64_t seq) {
  if (deadlines_.size() > 2 * size() + 64) return rebuild_deadlines();
  deadlines_.push_back({time, seq});
  std::push_heap(deadlines_.begin(), deadlines_.end(), std::greater<>{});
}

void pending_table::rebuild_deadlines() {
  deadlines_.clear();
  for_each([this](const pending_ack& e) {
    if (!e.queued) deadlines_.push_back({e.when, e.stream_seq});
  });
  std::make_heap(deadlines_.begin(), deadlines_.end(), std::greater<>{});
}

bool pending_table::stale(const deadline& d) const {
  const auto* entry = find(d.seq);
  return entry == nullptr || entry->queued || entry->when != d.time;
}

void pending_table::drop_stale_deadlines() {
  while (!deadlines_.empty() && stale(deadlines_.front())) {
    std::pop_heap(deadlines_.begin(), deadlines_.end(), std::greater<>{});
    deadlines_.pop_back();
  }
}

std::optional<int64_t> pending_table::next_deadline() {
  drop_stale_deadlines();
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.front().time;
}

std::vector<uint64_t> pending_table::take_due(int64_t now) {
  std::vector<uint64_t> all;
  for (auto next = next_deadline(); next && *next <= now; next = next_deadline()) {
    all.push_back(deadlines_.front().seq);
    std::pop_heap(deadlines_.begin(), deadlines_.end(), std::greater<>{});
    deadlines_.pop_back();
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace vagus

#include "actors/jetstream/ledger_state.hpp"

#include <algorithm>

namespace vagus {

void ledger_state::apply(const ledger_change& change) {
  using kind = ledger_change::kind;
  switch (change.what) {
    case kind::delivered:
      return deliver(change);
    case kind::redelivered:
      return redeliver(change);
    case kind::returned:
      if (const auto* entry = pending.find(change.seq)) {
        pending.await(change.seq, 0, std::max(entry->deliveries, uint32_t{1}) - 1);
        pending.queue(change.seq);
      }
      return;
    case kind::acked:
      pending.erase(change.seq);
      exhausted.erase(change.seq);
      acked_ns = change.time;
      return move_floor();
    case kind::acked_up_to:
      return ack_up_to(change);
    case kind::queued:
      return pending.queue(change.seq);
    case kind::waits:
      if (const auto* entry = pending.find(change.seq))
        pending.await(change.seq, change.deadline, entry->deliveries);
      return;
    case kind::exhausted:
      exhaust(change.seq);
      return move_floor();
    case kind::removed:
      pending.erase(change.seq);
      exhausted.erase(change.seq);
      return move_floor();
    case kind::removed_up_to:
      return remove_up_to(change.seq);
  }
}

void ledger_state::deliver(const ledger_change& change) {
  delivered = {delivered.consumer + 1, change.seq};
  delivered_ns = change.time;
  next_seq = std::max(next_seq, change.seq + 1);
  if (tracks_acks)
    pending.add(change.seq, delivered.consumer, change.deadline);
  else
    ack_floor = delivered;
}

void ledger_state::redeliver(const ledger_change& change) {
  const auto* entry = pending.find(change.seq);
  if (entry == nullptr) return;
  ++delivered.consumer;
  delivered_ns = change.time;
  pending.await(change.seq, change.deadline, entry->deliveries + 1);
}

void ledger_state::ack_up_to(const ledger_change& change) {
  while (!pending.empty() && pending.first().stream_seq <= change.seq)
    pending.erase(pending.first().stream_seq);
  ack_floor.consumer = std::max(ack_floor.consumer, change.other);
  ack_floor.stream = std::max(ack_floor.stream, change.seq);
  acked_ns = change.time;
  forget_exhausted();
}

void ledger_state::exhaust(uint64_t seq) {
  const auto* entry = pending.find(seq);
  if (entry == nullptr) return;
  exhausted[seq] = entry->deliveries;
  if (exhausted.size() > max_exhausted) exhausted.erase(exhausted.begin());
  pending.erase(seq);
}

void ledger_state::move_floor() {
  if (pending.empty()) {
    ack_floor.consumer = std::max(ack_floor.consumer, delivered.consumer);
    ack_floor.stream = std::max(ack_floor.stream, delivered.stream);
  } else {
    const auto& first = pending.first();
    ack_floor.consumer = std::max(ack_floor.consumer, first.consumer_seq - 1);
    ack_floor.stream = std::max(ack_floor.stream, first.stream_seq - 1);
  }
  forget_exhausted();
}

void ledger_state::forget_exhausted() {
  if (!keeps_exhausted) exhausted.erase(exhausted.begin(), exhausted.upper_bound(ack_floor.stream));
}

void ledger_state::remove_up_to(uint64_t seq) {
  while (!pending.empty() && pending.first().stream_seq <= seq)
    pending.erase(pending.first().stream_seq);
  next_seq = std::max(next_seq, seq + 1);
  delivered.stream = std::max(delivered.stream, seq);
  ack_floor.stream = std::max(ack_floor.stream, seq);
  exhausted.erase(exhausted.begin(), exhausted.upper_bound(seq));
  move_floor();
}

}  // namespace vagus

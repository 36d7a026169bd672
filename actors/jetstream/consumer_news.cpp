#include "actors/jetstream/consumer.hpp"
#include "storage/batch.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace vagus {

void consumer_state::follow() {
  if (following_) return;
  following_ = true;
  informed_ = false;
  uncertain_ = true;
  recounted_ns_ = 0;
  caf::anon_send(owner_, follow_atom::value, name_, true);
}

void consumer_state::unfollow() {
  if (!following_) return;
  following_ = informed_ = false;
  uncertain_ = true;
  caf::anon_send(owner_, follow_atom::value, name_, false);
}

/// A batch is committed. The consumer may have read it already.
void consumer_state::note_news(const stream_batch_ptr& batch) {
  if (!informed_) return;
  if (batch->result.number <= told_) {
    // Where the last messages of subjects are counted by what is told of them, they were not.
    for (const auto& gone : batch->result.removed)
      if (feed_.forget_last(gone.seq) && gone.seq >= ledger_.next_seq()) uncertain_ = true;
    return;
  }
  told_ = batch->result.number;
  counted_at_ = none_counted;
  at_end_ = false;
  const auto& state = batch->result.state;
  count_stored(*batch);
  count_removed(*batch);
  counted_to_ = std::max(counted_to_, state.last_seq);
  bool all_ahead = ledger_.next_seq() <= state.first_seq && ledger_.last_of_each() == 0;
  if (all_ahead && (feed_.takes_everything() || state.msgs == 0)) {
    num_pending_ = state.msgs;
    uncertain_ = false;
  } else if (ledger_.next_seq() < state.first_seq) {
    uncertain_ = true;  // a full purge does not report what it has removed
  }
  // Nothing is left of what lies before.
  if (ledger_.next_seq() < state.first_seq || ledger_.ack_floor().stream + 1 < state.first_seq)
    ledger_.forget_up_to(state.first_seq - 1);
}

void consumer_state::count_stored(const stream_batch& batch) {
  const auto& result = batch.result;
  auto from = std::max(counted_to_ + 1, ledger_.next_seq());
  if (result.state.last_seq < from) return;
  if (feed_.takes_everything()) {
    // Sequences without a message are among what was removed.
    num_pending_ += result.state.last_seq - from + 1;
    if (result.has_gaps) uncertain_ = true;
    return;
  }
  batch_reader in{batch.proposals.bytes()};
  size_t at = 0;
  for (proposal p; in.next(p); ++at) {
    const auto* stored = std::get_if<store_proposal>(&p);
    if (stored == nullptr || stored->skip) continue;
    const auto& o = result.outcomes[at];
    if (o.error != store_errc::none || o.duplicate || o.seq < from) continue;
    if (feed_.takes(stored->subject)) ++num_pending_;
  }
  if (!result.markers.empty()) uncertain_ = true;
}

void consumer_state::count_removed(const stream_batch& batch) {
  for (const auto& gone : batch.result.removed) {
    if (!feed_.takes(gone.subject)) continue;
    if (gone.seq < ledger_.next_seq()) {
      // It may have been counted, and passed over in a newer state than the one that was counted.
      if (batch.result.number <= walked_) uncertain_ = true;
      ledger_.forget(gone.seq);
    } else if (feed_.forget(gone.seq) && num_pending_ > 0) {
      --num_pending_;
    }
  }
}

/// Counts with the index what is to come.
void consumer_state::recount(store_snapshot& in) {
  auto first = in.state().first_seq;
  if (first > 0 && ledger_.next_seq() < first) ledger_.forget_up_to(first - 1);
  auto n = feed_.count(in, ledger_.next_seq());
  if (!n) return;
  num_pending_ = *n;
  counted_to_ = in.state().last_seq;
  told_ = counted_at_ = in.meta().applied;
  recounted_ns_ = now_ns();
  uncertain_ = false;
}

}  // namespace vagus

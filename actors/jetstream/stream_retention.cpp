#include "actors/jetstream/stream.hpp"
#include "net/log.hpp"

namespace vagus {

namespace {

/// Messages that one step of a sweep looks at.
constexpr size_t messages_per_sweep = 4096;

}  // namespace

/// A consumer is done with messages: in a work queue they go, with retention `interest` those that
/// no other needs.
void stream_state::release_messages(const consumer_change& change, stream_batch& batch) {
  if (config().retention == retention_policy::workqueue) {
    for (auto seq : change.done) batch.proposals.add(delete_proposal{seq, false});
    return;
  }
  if (config().retention != retention_policy::interest) return;
  for (auto seq : change.exhausted) interest_.note_exhausted(change.consumer, seq);
  for (auto seq : change.done) interest_.note_done(change.consumer, seq);
  interest_.note_floor(change.consumer, change.floor);
  if (change.done.empty()) return;
  auto snapshot = store_->read();
  if (!snapshot) return sweep_after_commit(change.done.front());
  for (auto seq : change.done) {
    auto m = (*snapshot)->head(seq);
    if (!m || interest_.needed(seq, m->subject)) continue;
    interest_.forget(seq);
    batch.proposals.add(delete_proposal{seq, false});
  }
}

/// A consumer is gone, or wants something else: what only it needed goes, bit by bit.
void stream_state::sweep_after_commit(uint64_t from) {
  if (config().retention != retention_policy::interest) return;
  open_batch().expect_end([this, from] { sweep(from); });
}

void stream_state::sweep(uint64_t from) {
  if (config().retention != retention_policy::interest || phase_ != phase::open) return;
  std::vector<uint64_t> gone;
  uint64_t next = 0;
  {
    auto snapshot = store_->read();
    if (!snapshot) return sweep_after_commit(from);
    auto seq = std::max(from, (*snapshot)->state().first_seq);
    for (size_t n = 0; n < messages_per_sweep; ++n) {
      auto m = (*snapshot)->next_head(seq);
      if (!m && m.error().code == store_errc::no_message) break;
      next = (m ? m->seq : m.error().seq) + 1;
      seq = next;
      if (m && !interest_.needed(m->seq, m->subject)) gone.push_back(m->seq);
      if (n + 1 < messages_per_sweep) next = 0;
    }
  }
  auto& batch = open_batch();
  for (auto seq : gone) {
    interest_.forget(seq);
    batch.proposals.add(delete_proposal{seq, false});
  }
  if (next != 0) sweep_after_commit(next);
}

consumer_bounds stream_state::consumer_limits() const {
  const auto& opts = context_.current->opts;
  consumer_bounds bounds;
  bounds.max_ack_pending = opts.js_max_ack_pending;
  bounds.max_request_batch = opts.js_max_request_batch;
  bounds.default_max_consumers = opts.js_default_max_consumers;
  return bounds;
}

}  // namespace vagus

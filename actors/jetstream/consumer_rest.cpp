#include "actors/jetstream/consumer.hpp"

#include <caf/send.hpp>

namespace vagus {

/// Nobody waits for anything of it, and its rows say all that it knows.
bool consumer_state::can_rest() const {
  if (phase_ != phase::open || !config().may_rest() || !pulls_.empty() || following_) return false;
  if (ledger_.num_ack_pending() > 0 || ledger_.changed() || flush_at_ns_ != 0) return false;
  return done_.empty() && ack_replies_.empty() && answers_.empty() && !in_flight_ && !continuing_ &&
         stalls_ == 0;
}

/// After each turn of one that is not subscribed.
void consumer_state::attach_or_rest() {
  if (asked_for_rest_) return;
  if (!pulls_.empty() || ledger_.num_ack_pending() > 0 || ledger_.changed()) return attach();
  unfollow();
  if (can_rest()) ask_for_rest();
}

/// The stream may have something on its way to it, so that it decides.
void consumer_state::ask_for_rest() {
  context_.deadlines.cancel(*this);
  if (std::exchange(asked_for_rest_, true)) return;
  caf::anon_send(owner_, rest_atom::value, name_);
}

/// What publishers still have for it goes back to the stream, which keeps it in order.
void consumer_state::rest() {
  asked_for_rest_ = false;
  if (!can_rest()) {
    if (phase_ == phase::open) caf::anon_send(owner_, rested_atom::value, name_, false);
    return;
  }
  phase_ = phase::resting;
  context_.deadlines.cancel(*this);
  if (!client_) return end_rest();
  client_->step_back();
}

void consumer_state::end_rest() {
  phase_ = phase::ended;
  store_ = nullptr;
  caf::anon_send(owner_, rested_atom::value, name_, true);
  owner_ = nullptr;
  self_->quit();
}

}  // namespace vagus

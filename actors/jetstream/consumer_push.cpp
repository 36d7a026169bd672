#include "actors/jetstream/consumer.hpp"
#include "actors/jetstream/pull_status.hpp"
#include "net/nuid.hpp"

namespace vagus {

/// A push consumer rests while nobody is subscribed to its deliver subject: as for nats-server, by
/// its own name, and in its deliver group or, without one, in none.
void consumer_state::look_for_interest() {
  if (!config().push() || phase_ == phase::ending || phase_ == phase::ended) return;
  bool wanted = false;
  {
    snapshot_guard guard;
    wanted = context_.routes.is_bound(config().deliver_subject, config().deliver_group);
  }
  if (wanted == wanted_) return;
  wanted_ = wanted;
  active_ns_ = now_ns();
  at_end_ = false;
  if (wanted) {
    if (config().idle_heartbeat > 0) heartbeat_at_ns_ = active_ns_ + config().idle_heartbeat;
    return;
  }
  unwanted_since_ns_ = active_ns_;
  heartbeat_at_ns_ = 0;
  window_.reset();
}

bool consumer_state::push_ready() const {
  return wanted_ && !(config().flow_control && window_.full());
}

void consumer_state::note_pushed(size_t bytes) {
  if (config().flow_control) {
    window_.note_sent(bytes);
    if (window_.wants_answer()) send_flow_request();
  }
  if (config().idle_heartbeat > 0) heartbeat_at_ns_ = active_ns_ + config().idle_heartbeat;
}

/// What the client answers to a flow control request. A message that is larger than the window may
/// have filled it again, and no other follows that would ask.
void consumer_state::take_flow_answer() {
  window_.note_answer();
  if (!window_.full() || !window_.wants_answer()) return;
  publishing out{context_};
  send_flow_request();
}

/// Right behind the message that made it due.
void consumer_state::send_flow_request() {
  auto answer_to = fmt::format("$JS.FC.{}.{}.{}", stream_, name_, make_nuid().substr(0, 8));
  auto block = status_headers("100 FlowControl Request");
  context_.routes.publish(
      {config().deliver_subject, answer_to, block, static_cast<int64_t>(block.size()), nullptr},
      nullptr);
  window_.ask(std::move(answer_to));
}

void consumer_state::send_heartbeat() {
  heartbeat_at_ns_ = now_ns() + config().idle_heartbeat;
  auto block = heartbeat_headers(ledger_.delivered().consumer, ledger_.next_seq() - 1,
                                 window_.full() ? std::string_view{window_.asked()} : "");
  publishing{context_}.send(config().deliver_subject, {}, block,
                            static_cast<int64_t>(block.size()));
}

}  // namespace vagus

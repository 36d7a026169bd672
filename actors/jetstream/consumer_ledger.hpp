#pragma once

#include "actors/jetstream/consumer_config.hpp"
#include "actors/jetstream/ledger_rows.hpp"
#include "actors/jetstream/ledger_state.hpp"

namespace vagus {

/// What a consumer's configuration says about its acknowledgements.
struct ledger_rules {
  vagus::ack_policy ack_policy = vagus::ack_policy::none;
  int64_t ack_wait_ns = 0;
  std::vector<int64_t> backoff_ns;
  int64_t max_deliver = -1;
  int64_t max_ack_pending = -1;
  bool keeps_exhausted = false;  ///< see `ledger_state`

  /// From the delivery to its deadline.
  int64_t wait_ns(uint32_t deliveries) const;
  bool last_delivery(uint32_t deliveries) const {
    return max_deliver > 0 && deliveries >= static_cast<uint64_t>(max_deliver);
  }
};

/// `limits` is whether the stream keeps its messages whatever its consumers do.
ledger_rules rules_of(const consumer_config& config, bool limits);

/// A message as it goes out: what its reply subject says.
struct delivery {
  uint64_t stream_seq = 0;
  uint64_t consumer_seq = 0;
  uint64_t deliveries = 0;

  bool operator==(const delivery&) const = default;
};

/// Which delivery a client answers to.
struct answered_delivery {
  uint64_t stream_seq = 0;
  uint64_t consumer_seq = 0;
  uint64_t deliveries = 0;
};

enum class ack_outcome : uint8_t {
  accepted,
  unchanged,  ///< nothing was left to do: answered as if accepted
  beyond      ///< acknowledged but never delivered: not answered at all
};

/// A message that has been delivered as often as `max_deliver` allows: an advisory for each.
struct exhausted_message {
  uint64_t stream_seq = 0;
  uint64_t deliveries = 0;

  bool operator==(const exhausted_message&) const = default;
};

enum class message_place : uint8_t { ahead, pending, exhausted, done };

/// One consumer's deliveries and acknowledgements: decides what is delivered again and when, what
/// an acknowledgement does, and when new messages may go out. Has no clock and no I/O: times are
/// parameters, and what must survive is taken as rows and restored from them.
class consumer_ledger {
public:
  /// A consumer that looks for its first message at `next_seq`. Up to `last_of_each` the caller
  /// delivers only the last message of each subject; 0 is all messages.
  explicit consumer_ledger(ledger_rules rules, uint64_t next_seq = 1, uint64_t last_of_each = 0);

  /// As it was stored. `rows` are those of `take_row` by their slots, the base first; rows that an
  /// earlier base has left are passed over. Nothing if a row is damaged.
  static std::optional<consumer_ledger> restore(ledger_rules rules,
                                                const std::vector<std::string_view>& rows);

  // What to deliver. First `expire`, then what `next_redelivery` names, then new messages while
  // `may_deliver_new`.

  /// Queues what was not acknowledged in time, in the order of the stream, and adds to `exhausted`
  /// what may not be delivered again.
  void expire(int64_t now, std::vector<exhausted_message>& exhausted);
  /// When `expire` has something to do next.
  std::optional<int64_t> next_deadline() { return state_.pending.next_deadline(); }
  /// The message to deliver again next. Takes those off that may not be, since `max_deliver` has
  /// become less.
  std::optional<uint64_t> next_redelivery(std::vector<exhausted_message>& exhausted);
  /// Not while `max_ack_pending` are pending.
  bool may_deliver_new() const;
  uint64_t next_seq() const { return state_.next_seq; }
  uint64_t last_of_each() const { return state_.last_of_each; }
  /// There is nothing for this consumer before `seq`. Worth no row: it is found out again.
  void pass_to(uint64_t seq) { state_.next_seq = std::max(state_.next_seq, seq); }

  /// `next_redelivery` goes out.
  delivery redeliver(uint64_t stream_seq, int64_t now);
  /// A new message, not before `next_seq`, goes out.
  delivery deliver(uint64_t stream_seq, int64_t now);
  /// The last delivery of the message reached nobody: it is due again and does not count.
  void return_delivery(uint64_t stream_seq);

  // What clients answer. `done` gets the messages that this consumer is done with by it.

  /// Acknowledged, or given up (+TERM): to the consumer that is the same.
  ack_outcome ack(const answered_delivery& answered, int64_t now, std::vector<uint64_t>& done);
  /// Not acknowledged: to be delivered again, after the delay if there is one.
  ack_outcome nak(const answered_delivery& answered, std::optional<int64_t> delay_ns, int64_t now,
                  std::vector<exhausted_message>& exhausted);
  /// The time to acknowledge starts again, also for what has expired but is not delivered again.
  ack_outcome in_progress(const answered_delivery& answered, int64_t now);

  // What happens otherwise.

  /// The message is no longer in the stream. A terminated one is reported by the caller.
  void forget(uint64_t stream_seq);
  /// Nor is anything up to it.
  void forget_up_to(uint64_t stream_seq);
  /// All that is pending is to be delivered again, since its receiver is another one now.
  void expire_all();
  /// It begins anew at `next_seq`, with its first delivery.
  void reset(uint64_t next_seq);
  /// New rules. Deadlines move by the difference of the waits.
  void change_rules(ledger_rules rules);

  // What is said about it.

  /// When the time began that a pending message has to be acknowledged; nothing if it is none.
  std::optional<int64_t> waiting_since(uint64_t stream_seq) const;
  message_place place_of(uint64_t stream_seq) const;
  const sequence_pair& delivered() const { return state_.delivered; }
  const sequence_pair& ack_floor() const { return state_.ack_floor; }
  int64_t delivered_ns() const { return state_.delivered_ns; }
  int64_t acked_ns() const { return state_.acked_ns; }
  size_t num_ack_pending() const { return state_.pending.size(); }
  size_t num_redelivered() const;
  /// How many wait to be delivered again.
  size_t num_queued() const { return state_.pending.queued(); }
  const ledger_state& state() const { return state_; }

  // What must survive.

  bool changed() const { return rows_.changed(); }
  /// What to store so that the state survives, or nothing if it is stored. To be written in the
  /// order in which it is taken.
  std::optional<ledger_row> take_row() { return rows_.take(state_); }
  /// A row that was taken could not be stored: the next one has everything.
  void rows_lost() { rows_.lost(); }

private:
  void record(const ledger_change& change);
  void exhaust(const pending_ack& entry, std::vector<exhausted_message>& exhausted);
  /// The message that is answered, if it has not been delivered again since.
  const pending_ack* answered_entry(const answered_delivery& answered) const;
  ack_outcome ack_all(const answered_delivery& answered, int64_t now, std::vector<uint64_t>& done);

  ledger_rules rules_;
  ledger_state state_;
  ledger_row_writer rows_;
};

}  // namespace vagus

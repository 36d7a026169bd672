#pragma once

#include "actors/jetstream/pending_table.hpp"

#include <map>

namespace vagus {

/// A place in a consumer's deliveries and in its stream.
struct sequence_pair {
  uint64_t consumer = 0;
  uint64_t stream = 0;

  bool operator==(const sequence_pair&) const = default;
};

/// One step of a consumer's state. What is stored between two full states is a run of these, so
/// their numbers are part of the format.
struct ledger_change {
  enum class kind : uint8_t {
    delivered = 0,     ///< `seq` for the first time, until `deadline`, at `time`
    redelivered = 1,   ///< `seq` once more, until `deadline`, at `time`
    returned = 2,      ///< the last delivery of `seq` reached nobody: queued, and not counted
    acked = 3,         ///< `seq`, at `time`
    acked_up_to = 4,   ///< all up to `seq`, which was delivered as `other`, at `time`
    queued = 5,        ///< `seq` is to be delivered again
    waits = 6,         ///< `seq` has until `deadline`
    exhausted = 7,     ///< `seq` has been delivered as often as is allowed
    removed = 8,       ///< `seq` is no longer in the stream
    removed_up_to = 9  ///< nor is anything up to `seq`
  };

  kind what = kind::delivered;
  uint64_t seq = 0;
  uint64_t other = 0;
  int64_t deadline = 0;
  int64_t time = 0;
};

/// What a consumer knows of its deliveries and that must survive. Changes only by `apply`, which
/// depends on nothing else, so that replayed changes give the same state.
struct ledger_state {
  sequence_pair delivered;    ///< the last delivery
  /// All up to here is acknowledged or exhausted. In nats-server 2.15.1 it waits for exhausted
  /// messages until an acknowledgement leaves nothing pending.
  sequence_pair ack_floor;
  uint64_t next_seq = 1;      ///< where to look for the next new message
  uint64_t last_of_each = 0;  ///< up to here only the last message of each subject is delivered
  int64_t delivered_ns = 0;   ///< when; 0 is never
  int64_t acked_ns = 0;
  pending_table pending;
  /// Delivered as often as is allowed, with their deliveries: those above the floor, and where
  /// consumers decide what stays in the stream, those below it too.
  std::map<uint64_t, uint32_t> exhausted;
  bool tracks_acks = true;       ///< not with the ack policy none
  bool keeps_exhausted = false;  ///< with another retention than `limits`

  void apply(const ledger_change& change);

private:
  void deliver(const ledger_change& change);
  void redeliver(const ledger_change& change);
  void ack_up_to(const ledger_change& change);
  void exhaust(uint64_t seq);
  void move_floor();
  void forget_exhausted();
  void remove_up_to(uint64_t seq);
};

/// How many exhausted messages a consumer remembers. The oldest is forgotten first: a late
/// acknowledgement of it then changes nothing.
constexpr size_t max_exhausted = 4096;

}  // namespace vagus

#pragma once

#include "storage/store_error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

// Times are nanoseconds since 1970 in UTC, durations nanoseconds, as on the wire and on the disk.

/// What a stream's configuration asks of its store. Limits of 0 or less are not there.
struct store_limits {
  int64_t max_msgs = 0;
  int64_t max_bytes = 0;
  int64_t max_age_ns = 0;
  int64_t max_msgs_per_subject = 0;
  int64_t max_msg_size = 0;
  int64_t duplicate_window_ns = 0;
  /// Of a subject whose last message leaves by age or its own time to live, a marker is stored that
  /// itself lives so long, in whole seconds.
  int64_t subject_delete_marker_ttl_ns = 0;
  uint64_t first_seq = 0;  ///< counts only before the first message
  bool discard_new = false;
  bool discard_new_per_subject = false;
  /// What is stored from now on takes less room on the disk, if it can. A store in memory has it as
  /// it comes.
  bool compress = false;

  bool operator==(const store_limits&) const = default;
};

/// A stream's state, as clients see it. Reading it costs the same whatever the stream holds.
struct store_state {
  uint64_t msgs = 0;
  uint64_t bytes = 0;  ///< with nats-server's overhead per message
  uint64_t first_seq = 0;
  uint64_t last_seq = 0;
  int64_t first_time_ns = 0;  ///< 0: there is no message
  int64_t last_time_ns = 0;
  uint64_t num_subjects = 0;

  uint64_t num_deleted() const {
    return last_seq < first_seq ? 0 : last_seq - first_seq + 1 - msgs;
  }
  bool operator==(const store_state&) const = default;
};

/// A message's time to live: none, never (nor by `max_age`), or a duration.
constexpr int64_t ttl_none = 0;
constexpr int64_t ttl_never = -1;

/// What can be said of a stored message without unpacking it. The bytes belong to the snapshot that
/// it was read from.
struct stored_head {
  uint64_t seq = 0;
  int64_t time_ns = 0;
  int64_t expires_ns = ttl_none;  ///< as in `stored_message`
  std::string_view subject;
  size_t headers_size = 0;
  size_t payload_size = 0;
  bool packed = false;
  std::string_view body;  ///< headers and payload, as one block if `packed`
};

/// A stored message. The bytes belong to the snapshot that it was read from, which says for how
/// long they are there.
struct stored_message {
  uint64_t seq = 0;
  int64_t time_ns = 0;
  int64_t expires_ns = ttl_none;  ///< `ttl_none`, `ttl_never`, or the time at which it expires
  std::string_view subject;
  std::string_view headers;
  std::string_view payload;
};

struct subject_count {
  std::string subject;
  uint64_t msgs = 0;
};

struct seq_range {
  uint64_t first = 0;
  uint64_t last = 0;
};

/// A purge that was not finished in its batch: propose it again with these.
struct purge_rest {
  uint64_t up_to = 0;
  uint64_t at_most = 0;
};

/// The answer to one proposal, at the same place in `applied::outcomes` as in the batch.
struct outcome {
  store_errc error = store_errc::none;
  bool duplicate = false;  ///< `seq` is that of the first message with this id
  bool more = false;       ///< purge: call again with `rest`; expire: call again
  uint64_t seq = 0;        ///< the new message's, or what an expectation found
  uint64_t previous = 0;   ///< where `wants_previous` asked for it
  uint64_t removed = 0;    ///< purge, expire, delete: messages gone
  purge_rest rest;
  std::string text;  ///< the real last msg id, where another was expected
};

enum class removal : uint8_t { deleted, purged, limit, age, ttl, rollup };

/// One message that left; `emptied` if no message of its subject is left.
struct removed_message {
  uint64_t seq = 0;
  removal why = removal::deleted;
  bool emptied = false;
  std::string subject;
};

/// A message that the store has put in the place of a subject's last one.
struct stored_marker {
  uint64_t seq = 0;
  uint64_t previous = 0;  ///< the sequence that has expired

  bool operator==(const stored_marker&) const = default;
};

/// What became of a batch.
struct applied {
  store_error error;     ///< if set, nothing of the batch was applied
  uint64_t number = 0;   ///< the mark: all batches up to this one have been applied
  bool already = false;  ///< the batch's number was not above the mark: nothing was done again
  std::vector<outcome> outcomes;
  store_state state;
  /// Limits, old ids or an unfinished rollup wait for another batch; an empty one will do.
  bool more = false;
  /// Sequences were passed over: some up to `state.last_seq` never had a message.
  bool has_gaps = false;
  /// When an expire proposal will find the next message; 0: none will expire.
  int64_t next_expiry_ns = 0;
  /// The markers that this batch stored (`subject_delete_marker_ttl_ns`), in their order:
  /// nobody proposed them, but consumers and republishing see them as any other message.
  std::vector<stored_marker> markers;
  /// Only where `report_removed` was asked for. A full purge and a rollup of all report nothing
  /// here.
  std::vector<removed_message> removed;
};

}  // namespace vagus

#pragma once

#include "storage/store_types.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// A rollup that did not end in its batch; the next batches go on with it.
struct pending_purge {
  std::string filter;
  uint64_t up_to = 0;

  bool operator==(const pending_purge&) const = default;
};

/// What a store knows besides its rows. Written with every batch, in the same transaction.
struct store_meta {
  std::string stream;
  uint64_t applied = 0;  ///< the number of the last batch
  int64_t time_ns = 0;   ///< and its time
  store_state state;
  store_limits limits;
  std::string last_msg_id;   ///< of the last message stored; may be empty
  uint64_t age_floor = 0;    ///< below it, `max_age` has nothing left to do
  bool over_limits = false;  ///< a limit waits for the next batch
  bool sweeping = false;     ///< `max_msgs_per_subject` fell: subjects after ...
  std::string sweep_after;   ///< ... this one are still to be looked at
  std::vector<pending_purge> purges;

  bool operator==(const store_meta&) const = default;
};

/// True if `filter` (empty: all) takes `subject` in.
bool filter_matches(std::string_view filter, std::string_view subject);
bool takes_all(std::string_view filter);

/// What `apply_batch` needs of a store: rows, and questions that are index work. A store that
/// cannot go on throws `store_failure`. Views are valid until the next call that is not const.
class tables {
public:
  virtual ~tables() = default;

  virtual store_meta& meta() = 0;
  /// A message's share of `max_bytes`, as the peer counts it.
  virtual uint64_t stored_size(size_t subject, size_t headers, size_t payload) const = 0;

  /// A message with these will be stored soon: a chance to have memory at hand. Called twice, the
  /// second time with `near`, a few messages later.
  virtual void expect(std::string_view /*subject*/, std::string_view /*id*/, bool /*near*/) {}

  /// `m.seq` is above all others. True if the subject had no message.
  virtual bool put_message(const stored_message& m) = 0;
  virtual std::optional<stored_head> head(uint64_t seq) = 0;
  /// The message is there. True if its subject has none left.
  virtual bool remove_message(uint64_t seq, std::string_view subject, int64_t expires_ns) = 0;
  virtual void remove_all_messages() = 0;
  /// 0: none.
  virtual uint64_t first_at_or_after(uint64_t seq) = 0;
  /// The earliest time at which a message's own time to live ends, and its sequence.
  virtual std::optional<std::pair<int64_t, uint64_t>> first_ttl() = 0;

  virtual uint64_t subject_msgs(std::string_view subject) = 0;
  virtual uint64_t subject_first(std::string_view subject) = 0;
  virtual uint64_t filter_last(std::string_view filter) = 0;
  virtual uint64_t filter_msgs(std::string_view filter) = 0;
  /// Sequences at or after `from` that match, ascending; empty only if there are none.
  virtual std::vector<uint64_t> filter_next(std::string_view filter, uint64_t from,
                                            size_t at_most) = 0;
  /// Up to `at_most` subjects that follow `after` in the order of the store, whatever it is.
  virtual std::vector<subject_count> subjects_after(std::string_view after, size_t at_most) = 0;

  /// The sequence that got this id after `after_ns`; 0: none.
  virtual uint64_t find_id(std::string_view id, int64_t after_ns) = 0;
  virtual void add_id(std::string_view id, uint64_t seq, int64_t time_ns) = 0;
  /// Forgets the oldest ids of `up_to_ns` and before, `at_most` of them. True if there are more.
  virtual bool expire_ids(int64_t up_to_ns, size_t at_most) = 0;

  virtual void put_config(std::string_view blob) = 0;
  virtual void put_consumer(std::string_view name, std::string_view row) = 0;
  virtual bool remove_consumer(std::string_view name) = 0;
};

}  // namespace vagus

#pragma once

#include "actors/jetstream/messages.hpp"
#include "storage/message_store.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// What a consumer reads from its stream, in order: the messages that its filters let through, up
/// to a bound only the last of each subject. The position is the ledger's; between two calls of
/// `set_filters` it must not go back.
class message_feed {
public:
  /// Empty filters take everything. With `last_of_each` above 0 the feed needs `set_lasts` before
  /// it is read from below that bound.
  explicit message_feed(std::vector<std::string> filters, uint64_t last_of_each = 0);

  void set_filters(std::vector<std::string> filters);
  /// The first time all of them; later those that are still there. Between, the caller says to
  /// `forget` what it is told of.
  void set_lasts(const last_messages& lasts);
  bool needs_lasts(uint64_t from) const { return !lasts_ && from <= last_of_each_; }

  /// The first message at or after `from`; `no_message`: there is none, `corrupt`: it cannot be
  /// read, and its sequence is that of the error.
  store_result<stored_message> next(store_snapshot& in, uint64_t from);

  /// A message that a filter lets through is no longer in the stream: whether it would have come.
  bool forget(uint64_t seq);
  /// The same, and only if it is one of the last ones.
  bool forget_last(uint64_t seq);

  /// How many there are at or after `from`. Of the last ones of very many subjects those count that
  /// nobody has said to `forget`: too many, where `lasts_in_doubt`.
  store_result<uint64_t> count(store_snapshot& in, uint64_t from) const;
  /// The last ones are very many, and messages have been removed since they were found. To find
  /// them again is not for an event loop.
  bool lasts_in_doubt(const store_state& state, uint64_t from) const;

  bool takes(std::string_view subject) const;
  /// It has no filter, so that every message is counted without a look at its subject.
  bool takes_everything() const { return filters_.empty(); }

private:
  /// Sequences that one filter has found ahead.
  struct track {
    std::string filter;
    std::vector<uint64_t> found;
    size_t at = 0;
    uint64_t searched_to = 0;  ///< what is not in `found` lies at or behind this
  };

  store_result<uint64_t> count_lasts(store_snapshot& in, uint64_t from) const;
  size_t listed(uint64_t from) const;
  store_result<uint64_t> next_seq(store_snapshot& in, uint64_t from);
  store_result<uint64_t> next_of(track& t, store_snapshot& in, uint64_t from);

  bool walk(store_snapshot& in, uint64_t& from, store_result<stored_message>& found);
  void note_distance(uint64_t distance);

  std::vector<std::string> filters_;
  bool dense_ = true;  ///< the filters let much through
  size_t close_ = 0;   ///< how many in turn that were found were close to each other
  std::vector<track> tracks_;
  uint64_t last_of_each_ = 0;
  last_sequences lasts_;
  std::set<uint64_t> gone_lasts_;  ///< of them, no longer in the stream
  uint64_t missing_ = 0;           ///< messages that were removed when they were found
};

/// Where a new consumer begins.
struct consumer_place {
  uint64_t next_seq = 1;
  uint64_t last_of_each = 0;  ///< up to here only the last message of each subject
};

/// `one_per_subject` is whether the stream may have no more than one message of each subject.
store_result<consumer_place> first_place(const consumer_config& config, bool one_per_subject,
                                         store_snapshot& in);

/// What `message_feed::set_lasts` wants.
store_result<std::vector<uint64_t>> find_lasts(const std::vector<std::string>& filters,
                                               store_snapshot& in, uint64_t up_to);

}  // namespace vagus

#pragma once

#include "storage/store_types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace vagus {

struct store_proposal {
  std::string_view subject;
  std::string_view headers;
  std::string_view payload;
  std::string_view msg_id;
  int64_t ttl_ns = ttl_none;
  std::optional<uint64_t> expected_last_seq;
  std::optional<uint64_t> expected_last_subject_seq;
  /// Whose last sequence is meant; may have wildcards. Empty: the message's own subject.
  std::string_view expected_subject;
  std::optional<std::string_view> expected_last_msg_id;
  /// The message's own place and time, as in a mirror: above all sequences so far (what lies
  /// between counts as removed), neither before the message before it nor after the batch. Whatever
  /// its id, it is no duplicate. 0: the next sequence, at the batch's time.
  uint64_t seq = 0;
  int64_t time_ns = 0;
  bool rollup_subject = false;
  bool rollup_all = false;
  /// Takes a sequence, and its id counts, but nothing is stored: nobody is interested.
  bool skip = false;
  /// The outcome says what the subject's last sequence was before.
  bool wants_previous = false;
  /// The message is not to be stored, for a reason that the proposer knows: the answer is `refused`
  /// unless what is checked before that reason says something else.
  enum class refusal : uint8_t { none, after_sequences, after_ids };
  refusal refused = refusal::none;
};

struct delete_proposal {
  uint64_t seq = 0;
  bool erase = false;  ///< noted only: pages that LMDB frees are not overwritten
};

/// Removes what matches `filter` (empty: all) below `up_to` (0: no bound), but leaves the newest
/// `keep`. A purge of all without `keep` is one step; others may need several (`purge_rest`).
struct purge_proposal {
  std::string_view filter;
  uint64_t up_to = 0;
  uint64_t keep = 0;
  uint64_t at_most = 0;  ///< 0: no bound; from `purge_rest`
};

/// Removes what `max_age` or a message's own time to live ends at the batch's time.
struct expire_proposal {};

/// `blob` is the caller's and comes back as it was.
struct configure_proposal {
  store_limits limits;
  std::string_view blob;
};

struct consumer_put_proposal {
  std::string_view name;  ///< at most 480 bytes
  std::string_view row;
};

struct consumer_delete_proposal {
  std::string_view name;
};

/// A message as it was in another store, at its own place: above all sequences so far. What lies
/// between counts as removed. No limit and no expectation is looked at.
struct restore_proposal {
  uint64_t seq = 0;
  /// Neither before the message before it nor after the batch.
  int64_t time_ns = 0;
  int64_t expires_ns = ttl_none;  ///< as in `stored_message`
  std::string_view subject;       ///< empty: there is no message; `seq` is the last sequence
  std::string_view headers;
  std::string_view payload;
  std::string_view msg_id;
};

using proposal = std::variant<store_proposal, delete_proposal, purge_proposal, expire_proposal,
                              configure_proposal, consumer_put_proposal, consumer_delete_proposal,
                              restore_proposal>;

/// Packs proposals into one run of bytes (storage/README.md has the format).
class batch_builder {
public:
  /// `number` 0: one more than the last batch applied. The time never runs backwards: a store takes
  /// the later of it and that of the batch before.
  explicit batch_builder(int64_t time_ns, uint64_t number = 0);

  /// Copies what the views point to. One that is `chained` is refused unless the proposal before it
  /// was accepted.
  batch_builder& add(const proposal& p, bool chained = false);

  std::string_view bytes() const { return bytes_; }
  uint32_t size() const { return count_; }

private:
  std::string bytes_;
  uint32_t count_ = 0;
};

/// Reads a batch; the proposals' views point into its bytes. Any bytes are safe to read.
class batch_reader {
public:
  explicit batch_reader(std::string_view bytes);

  /// False if the header is not one of a batch.
  bool valid() const { return valid_; }
  uint64_t number() const { return number_; }
  int64_t time_ns() const { return time_ns_; }
  uint32_t size() const { return count_; }

  /// The next proposal; false at the end, and then `valid` tells if the bytes ended as they should.
  bool next(proposal& out);
  /// Of the last that was read.
  bool chained() const { return chained_; }

private:
  std::string_view rest_;
  uint64_t number_ = 0;
  int64_t time_ns_ = 0;
  uint32_t count_ = 0;
  uint32_t read_ = 0;
  bool chained_ = false;
  bool valid_ = false;
};

}  // namespace vagus

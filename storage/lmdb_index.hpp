#pragma once

#include "storage/lmdb_blocks.hpp"
#include "storage/lmdb_overlay.hpp"

#include <functional>
#include <optional>

namespace vagus {

/// Moves a cursor of `messages` on from where it stands (`on`: MDB_NEXT or MDB_PREV) until it is at
/// a message that is there for a reader of `batch`. False: none.
inline bool pass_gone(const lmdb_cursor& messages, MDB_val& key, MDB_val& value, MDB_cursor_op on,
                      const gone_set& gone, uint64_t batch) {
  size_t passed = 0;
  bool found = true;
  for (auto seq = seq_of(key); found && gone.has(seq, batch); ++passed) {
    found = messages.move(key, value, on);
    auto next = found ? seq_of(key) : seq;
    if (found && (on == MDB_NEXT ? next <= seq : next >= seq)) [[unlikely]]
      fail_lmdb(lmdb_astray, "find a key");
    seq = next;
  }
  gone.note_passed(passed);
  return found;
}

/// The subject index as one transaction sees it: rows and blocks on the disk, plus the overlay as
/// of the transaction's batch. Answers come from there without looking at messages, except to see
/// that they exist. Throws `store_failure`.
class index_view {
public:
  /// `batch`, `last_seq`: up to where this reader sees. A writer sees all and needs no lock.
  index_view(MDB_txn* txn, const lmdb_databases& databases, const index_overlay& overlay,
             uint64_t batch, uint64_t last_seq, bool locks)
      : txn_{txn},
        databases_{databases},
        overlay_{overlay},
        batch_{batch},
        last_seq_{last_seq},
        locks_{locks} {}

  uint64_t subject_msgs(std::string_view subject) const;
  /// The first message of a subject at or after `from`; 0: none.
  uint64_t subject_next(std::string_view subject, uint64_t from) const;
  uint64_t filter_last(std::string_view filter) const;
  uint64_t filter_count(std::string_view filter, uint64_t from) const;
  std::vector<uint64_t> filter_next(std::string_view filter, uint64_t from, size_t at_most) const;
  std::vector<subject_count> subjects(std::string_view filter, std::string_view after,
                                      size_t at_most) const;
  std::vector<uint64_t> last_per_subject(std::string_view filter, uint64_t up_to) const;

  std::optional<subject_row> row_of(std::string_view key) const;
  bool exists(uint64_t seq) const;

private:
  struct entry {
    std::string_view subject;
    const subject_row* row;
    const subject_delta* delta;
  };
  /// False: enough.
  using visitor = std::function<bool(const entry&)>;

  /// Every subject that matches and comes after `after`, in the order of keys.
  void walk(std::string_view filter, std::string_view after, const visitor& visit) const;
  bool walk_chunk(std::string_view filter, std::string_view prefix, std::string& after,
                  const visitor& visit) const;
  void visit_one(std::string_view subject, const visitor& visit) const;

  uint64_t count_of(const entry& e) const;
  uint64_t count_from(const entry& e, uint64_t from) const;
  uint64_t next_of(const entry& e, uint64_t from) const;
  uint64_t last_of(const entry& e, uint64_t up_to) const;
  uint64_t highest_of(const entry& e) const;
  void collect(const entry& e, uint64_t from, size_t at_most, std::vector<uint64_t>& found) const;
  /// Looks at some messages from `from` on; moves `from` behind the last one looked at. False at
  /// the end of the stream.
  bool scan(std::string_view filter, uint64_t& from, size_t at_most,
            std::vector<uint64_t>& found) const;

  MDB_txn* txn_;
  const lmdb_databases& databases_;
  const index_overlay& overlay_;
  uint64_t batch_;
  uint64_t last_seq_;
  bool locks_;
};

}  // namespace vagus

#pragma once

#include "storage/lmdb_env.hpp"
#include "storage/lmdb_rows.hpp"

namespace vagus {

/// Walks the sequences that the index on the disk has for one subject, block by block, in either
/// direction. Also finds those whose message is gone since: the caller checks.
class block_walk {
public:
  block_walk(MDB_txn* txn, const lmdb_databases& databases, const subject_row& row)
      : cursor_{txn, databases.blocks}, row_{row} {}

  bool valid() const { return valid_; }
  uint64_t seq() const { return seqs_[at_]; }

  /// To the first at or after `from`.
  void seek(uint64_t from);
  void next();
  /// To the last at or before `up_to`.
  void seek_back(uint64_t up_to);
  void previous();

  /// How many are at or after `from`.
  uint64_t count_from(uint64_t from);

  /// The block where the walk stands, and whether it is the row's own list.
  const std::vector<uint64_t>& block() const { return seqs_; }
  bool in_row() const { return in_row_; }
  bool next_block();

private:
  bool load(const MDB_val& key, const MDB_val& value);
  bool previous_block();
  bool use_row();

  lmdb_cursor cursor_;
  const subject_row& row_;
  std::vector<uint64_t> seqs_;
  size_t at_ = 0;
  bool valid_ = false;
  bool in_row_ = false;
};

}  // namespace vagus

#pragma once

#include "storage/id_filter.hpp"
#include "storage/id_table.hpp"
#include "storage/lmdb_env.hpp"
#include "storage/lmdb_rows.hpp"

#include <optional>

namespace vagus {

/// The message ids of the deduplication window. Throws `store_failure`.
///
/// `ids` has them by sequence, which is also by time: new ones are appended in the transaction of
/// their message, old ones are removed from the front. Finding an id goes by its hash: through a
/// table in memory for the newest ones, and for the others through `id_index`, to which they are
/// brought in sorted runs. The index is cut into buckets of a million ids in the order of time, so
/// that a run touches only the newest bucket and an expired bucket goes as a whole; each bucket has
/// a filter that says in one cache line that an id is not in it, stored when the bucket is full and
/// read from the map. Whatever the window, memory holds one table and one filter.
///
/// Belongs to the writer.
class lmdb_ids {
public:
  lmdb_ids(const lmdb_databases& databases, lmdb_meta& meta, size_t per_fold, size_t per_bucket)
      : databases_{databases}, meta_{meta}, per_fold_{per_fold}, per_bucket_{per_bucket} {}

  /// Between these two calls the others work, all with the same transaction.
  void begin(MDB_txn* txn) { appending_ = lmdb_cursor{txn, databases_.ids}; }
  void end() { appending_ = lmdb_cursor{}; }

  /// Reads what is not in the index yet.
  void load(MDB_txn* txn);

  /// Has memory at hand for `find`.
  void prefetch(std::string_view id) const;
  uint64_t find(MDB_txn* txn, std::string_view id, int64_t after_ns);
  void add(std::string_view id, uint64_t seq, int64_t time_ns);
  bool expire(MDB_txn* txn, int64_t up_to_ns, size_t at_most);

  bool should_fold() const { return table_.size() >= per_fold_; }
  bool empty() const { return table_.size() == 0; }
  void fold(MDB_txn* txn);

private:
  struct bucket {
    uint64_t number = 0;
    uint64_t last_seq = 0;
    uint64_t count = 0;
    std::string_view filter;  ///< only of full ones
  };

  std::optional<bucket> read_bucket(MDB_txn* txn, uint64_t number) const;
  void put_bucket(MDB_txn* txn, const bucket& b) const;
  uint64_t first_seq(MDB_txn* txn) const;
  bool is(MDB_txn* txn, uint64_t seq, std::string_view id, int64_t after_ns) const;
  uint64_t find_in(MDB_txn* txn, uint64_t number, uint64_t hash, std::string_view id,
                   int64_t after_ns) const;
  void fill_filter(MDB_txn* txn, size_t capacity);
  void drop_buckets(MDB_txn* txn, uint64_t first, size_t at_most);

  const lmdb_databases& databases_;
  lmdb_meta& meta_;
  size_t per_fold_;
  size_t per_bucket_;
  lmdb_cursor appending_;
  id_table table_;
  id_filter filter_;  ///< of the bucket that is filled
};

}  // namespace vagus

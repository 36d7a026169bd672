#pragma once

#include "storage/lmdb_env.hpp"

#include <functional>
#include <string>

namespace vagus {

/// Rows that say which messages are gone but still in the subject index on the disk. They are only
/// added to, many removals to a row, so that one costs some bytes wherever its message was; when
/// the index is brought up to date all rows go.
class removal_rows {
public:
  /// May write a row in `txn`, which the caller commits or abandons as a whole.
  void note(MDB_txn* txn, const lmdb_databases& databases, std::string_view subject, uint64_t seq);
  /// Writes what is not in a row yet, just before the transaction commits.
  void settle(MDB_txn* txn, const lmdb_databases& databases);
  /// After a transaction that did not commit, or when the rows are gone.
  void forget();

private:
  std::string row_;      ///< that is being filled; the group of `subject_` is open
  std::string subject_;  ///< of the last removal
};

/// Every removal that the rows tell, in no order, those of format 1 among them; `damaged` instead
/// for each row that is not readable, with its key.
void for_each_removal(MDB_txn* txn, const lmdb_databases& databases,
                      const std::function<void(std::string_view subject, uint64_t seq)>& f,
                      const std::function<void(uint64_t key)>& damaged);

}  // namespace vagus

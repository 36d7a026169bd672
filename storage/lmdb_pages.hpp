#pragma once

#include "storage/lmdb_fault.hpp"

namespace vagus {

// What this program knows of LMDB's memory, to look at pages before LMDB changes them and to end
// changes that it has not come back from (lmdb_pages.cpp has the mechanism).

/// Whether this LMDB's transactions, cursors and pages look in memory as is expected here. `txn`
/// writes or reads, `database` is one of it.
bool is_known_lmdb(MDB_txn* txn, MDB_dbi database);

/// Whether the pages are sound that a transaction changes whatever it is for: the names of the
/// databases, and both ends of the list of free pages. To be asked when it begins.
bool is_sound(MDB_txn* txn);

/// Whether bytes that LMDB has found lie in the part of the map that is in use, or outside of the
/// map, where a page that the transaction has changed is.
bool is_inside(MDB_txn* txn, const MDB_val& found);

enum class page_change { add, replace, remove };

/// Whether the pages are sound that such a change at the cursor's place may change.
bool can_change(MDB_cursor* cursor, page_change what);

/// Whether the pages are sound that have led the cursor to where it stands. Looks at those of the
/// tree once for each leaf, when the cursor stands at its first entry.
bool is_sound(MDB_cursor* cursor);

/// After LMDB went astray in a change: the transaction can only be aborted, but that it can.
void forget_change(MDB_txn* txn);

/// As `lmdb_call`, for a function that changes the transaction.
template <class... P, class... A>
int lmdb_change(MDB_txn* txn, int (*f)(P...), A... args) {
  int code = lmdb_call(f, args...);
  if (code == lmdb_astray) [[unlikely]]
    forget_change(txn);
  return code;
}

/// Removes all entries.
int lmdb_clear(MDB_txn* txn, MDB_dbi database);

}  // namespace vagus

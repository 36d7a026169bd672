#pragma once

#include "storage/lmdb_env.hpp"
#include "storage/lmdb_overlay.hpp"
#include "storage/lmdb_rows.hpp"

namespace vagus {

/// Brings the index on the disk up to date with the overlay, in the order of keys, inside the write
/// transaction. The overlay itself stays as it is, for readers with an older snapshot; afterwards
/// the caller begins a new one.
void fold_index(MDB_txn* txn, const lmdb_databases& databases, const index_overlay& overlay,
                lmdb_meta& meta);

}  // namespace vagus

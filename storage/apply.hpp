#pragma once

#include "storage/batch.hpp"
#include "storage/tables.hpp"

namespace vagus {

/// Every batch removes at most this many messages (and twice as many as it has proposals); what is
/// left waits for the next batch, so that none takes long.
constexpr uint64_t removals_per_batch = 8192;

/// An error if `batch` does not follow the format from front to back.
store_error check_batch(std::string_view batch);

/// Decides every proposal of a checked batch from the tables and the batch alone, and changes the
/// tables accordingly: the same tables and the same batch give the same result everywhere.
applied apply_batch(tables& rows, std::string_view batch, bool report_removed);

}  // namespace vagus

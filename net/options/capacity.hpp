#pragma once

#include "net/options/options.hpp"

#include <cstdint>

namespace vagus {

/// Bytes that streams may hold in memory: max_memory_store, or three quarters of the machine's
/// memory or of what a control group leaves of it.
int64_t memory_store_limit(const options& opts);

/// Bytes that streams may hold in files: max_file_store, or three quarters of what is free now on
/// the file system of store_dir. The directory need not be there; nothing is created.
int64_t file_store_limit(const options& opts);

/// Of a number of bytes, at most what an int64_t holds.
int64_t three_quarters(uint64_t bytes);

}  // namespace vagus

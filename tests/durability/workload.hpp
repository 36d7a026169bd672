#pragma once

#include "storage/lmdb_store.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace vagus::testing {

constexpr unsigned workload_streams = 3;

/// When a store waits for the disk.
enum class workload_mode {
  synced,    ///< in each `append`
  relaxed,   ///< in `sync`, now and then
  unsynced,  ///< never
};

/// What the child tells its parent once `append` or `sync` has answered.
struct workload_ack {
  uint64_t stream;
  uint64_t number;
  uint64_t durable;  ///< 0: the batch was appended; 1: it has to survive
};

/// The n-th batch of a stream: the same for the same arguments. Messages with and without ids,
/// lifetimes, rollups, removals, purges, limits, and consumers' rows, alone and with the removal of
/// messages as in a work queue.
std::string workload_batch(uint64_t seed, unsigned stream, uint64_t n);

std::filesystem::path workload_directory(const std::filesystem::path& dir, unsigned stream);

/// Everything that happens now and then happens often.
lmdb_store_options workload_options(workload_mode mode);

}  // namespace vagus::testing

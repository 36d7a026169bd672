#pragma once

#include "storage/lmdb_store.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace vagus::testing {

constexpr unsigned workload_streams = 3;

/// What the child tells its parent once `append` has answered.
struct workload_ack {
  uint64_t stream;
  uint64_t number;
};

/// The n-th batch of a stream: the same for the same arguments. Messages with and without ids,
/// lifetimes, rollups, removals, purges, limits, consumers.
std::string workload_batch(uint64_t seed, unsigned stream, uint64_t n);

std::filesystem::path workload_directory(const std::filesystem::path& dir, unsigned stream);

/// Everything that happens now and then happens often.
lmdb_store_options workload_options(bool sync);

}  // namespace vagus::testing

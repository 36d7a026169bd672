#pragma once

#include "actors/interfaces.hpp"
#include "actors/jetstream/storage_worker.hpp"
#include "actors/jetstream/stream_check.hpp"
#include "actors/jetstream/stream_registry.hpp"
#include "actors/loop_context.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>

namespace vagus {

/// What the JetStream API and the streams of one account share. Outlives them.
struct jetstream_context {
  std::filesystem::path store_dir;  ///< of the account
  std::string server_name;
  std::string domain;               ///< empty: none
  jetstream_limits limits;
  int64_t max_memory = -1;          ///< bytes that all streams in memory may take; -1: no limit
  int64_t max_storage = -1;         ///< the same on the disk
  bool strict = true;               ///< requests with unknown members are refused
  /// How long a commit may wait for the disk; 0: it is there before it is acknowledged.
  std::chrono::nanoseconds sync_interval{0};
  /// "$JS.API", and the domain's own.
  std::vector<std::string> api_prefixes() const {
    std::vector<std::string> prefixes{"$JS.API"};
    if (!domain.empty()) prefixes.push_back("$JS." + domain + ".API");
    return prefixes;
  }

  std::vector<loop_context*> loops;  ///< of the process
  storage_workers workers;
  stream_registry streams;
  jetstream_actor api;  ///< while it runs

  // Bytes that the streams hold, brought up to date by each after its commits
  std::atomic<int64_t> memory_used{0};
  std::atomic<int64_t> storage_used{0};

  std::atomic<int64_t>& used(storage_type storage) {
    return storage == storage_type::memory ? memory_used : storage_used;
  }
  int64_t most(storage_type storage) const {
    return storage == storage_type::memory ? max_memory : max_storage;
  }
  /// The streams hold more than all of them may: nothing more is stored.
  bool exceeded(storage_type storage) {
    auto limit = most(storage);
    return limit >= 0 && used(storage).load(std::memory_order_relaxed) > limit;
  }
  /// How much more they may hold.
  int64_t room(storage_type storage) {
    auto limit = most(storage);
    if (limit < 0) return INT64_MAX;
    return std::max<int64_t>(limit - used(storage).load(std::memory_order_relaxed), 0);
  }
  std::atomic<bool> told_exceeded{false};  ///< the log has it

  // For INFO and monitoring
  std::atomic<uint64_t> api_total{0};
  std::atomic<uint64_t> api_errors{0};
};

}  // namespace vagus

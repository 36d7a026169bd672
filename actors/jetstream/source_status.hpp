#pragma once

#include "actors/jetstream/api_error.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace vagus {

/// How a mirror or source stands, for STREAM.INFO. Written by its actor, read by anyone.
class source_status {
public:
  std::atomic<uint64_t> behind{0};   ///< messages of the origin that are not stored here, at most
  std::atomic<uint64_t> seq{0};      ///< the last sequence of the origin that is; 0: none
  std::atomic<int64_t> heard_ns{0};  ///< when the origin was last heard; 0: never

  void put(std::optional<api_error> error) {
    std::lock_guard lock{mutex_};
    error_ = std::move(error);
  }
  std::optional<api_error> error() const {
    std::lock_guard lock{mutex_};
    return error_;
  }

private:
  mutable std::mutex mutex_;
  std::optional<api_error> error_;
};

using source_status_ptr = std::shared_ptr<source_status>;

}  // namespace vagus

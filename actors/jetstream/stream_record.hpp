#pragma once

#include "actors/jetstream/source_status.hpp"
#include "actors/jetstream/stream_config.hpp"
#include "storage/message_store.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vagus {

/// What others may know of a stream without asking it: the API for lists, monitoring. Written by
/// the stream after each commit, before anyone is told of it.
class stream_record {
public:
  using config_ptr = std::shared_ptr<const stream_config>;

  struct view {
    config_ptr config;
    store_state state;
    uint64_t consumers = 0;
    std::vector<source_status_ptr> sources;  ///< of its mirror, or of its sources in their order
  };

  stream_record(config_ptr config, int64_t created) : created_ns{created} {
    view_.config = std::move(config);
  }

  const int64_t created_ns;  ///< since the epoch

  view look() const {
    std::lock_guard lock{mutex_};
    return view_;
  }
  void put(const store_state& state) {
    std::lock_guard lock{mutex_};
    view_.state = state;
  }
  void put_sources(std::vector<source_status_ptr> sources) {
    std::lock_guard lock{mutex_};
    view_.sources = std::move(sources);
  }
  void put_consumers(uint64_t count) {
    std::lock_guard lock{mutex_};
    view_.consumers = count;
  }
  void put(config_ptr config) {
    std::lock_guard lock{mutex_};
    view_.config = std::move(config);
  }

  /// The stream's store; expired unless it is open. Whoever locks it keeps it from closing, which
  /// then happens where it is let go: on a storage thread, and soon.
  std::weak_ptr<message_store> store() const {
    std::lock_guard lock{mutex_};
    return store_;
  }
  void put(const std::shared_ptr<message_store>& store) {
    std::lock_guard lock{mutex_};
    store_ = store;
  }

private:
  mutable std::mutex mutex_;
  std::weak_ptr<message_store> store_;
  view view_;
};

using stream_record_ptr = std::shared_ptr<stream_record>;

}  // namespace vagus

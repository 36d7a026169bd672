#pragma once

#include "actors/jetstream/stream_record.hpp"

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace vagus {

/// Which streams there are, for those who look from outside (monitoring). Any thread.
class stream_registry {
public:
  using entry = std::pair<std::string, stream_record_ptr>;

  void add(const std::string& name, stream_record_ptr record) {
    std::lock_guard lock{mutex_};
    records_[name] = std::move(record);
  }
  void remove(const std::string& name) {
    std::lock_guard lock{mutex_};
    records_.erase(name);
  }
  /// By name.
  std::vector<entry> list() const {
    std::lock_guard lock{mutex_};
    return {records_.begin(), records_.end()};
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, stream_record_ptr> records_;
};

}  // namespace vagus

#pragma once

#include "storage/memory_tables.hpp"
#include "storage/message_store.hpp"

#include <shared_mutex>

namespace vagus {

struct memory_store_options {
  bool report_removed = false;  ///< fill `applied::removed`
};

/// A stream in memory: the same answers as from a disk, gone with the process. A batch waits until
/// the snapshots that are open have ended.
class memory_store : public message_store {
public:
  explicit memory_store(std::string stream, memory_store_options options = {});

  applied append(std::string_view batch) override;
  store_result<std::unique_ptr<store_snapshot>> read() override;
  store_error stopped() const override { return {}; }
  store_error retry() override { return {}; }
  store_error sync() override { return {}; }

private:
  memory_tables rows_;
  std::shared_mutex mutex_;
  memory_store_options options_;
};

}  // namespace vagus

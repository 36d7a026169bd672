#pragma once

#include "net/protocol/frame_batch.hpp"

#include <cstddef>

namespace vagus {

/// Reads a run of MSG and HMSG frames back into messages. The views are good as long as the batch.
class frame_reader {
public:
  frame_reader(const frame_batch& batch, const frame_run& run)
      : batch_{batch}, next_{run.begin}, run_end_{run.end} {}

  /// Goes to the next frame; false after the last one.
  bool next();

  const message_view& message() const { return message_; }
  size_t begin() const { return begin_; }  ///< position of the frame in the batch
  size_t end() const { return next_; }

private:
  const frame_batch& batch_;
  size_t begin_ = 0;
  size_t next_;
  size_t run_end_;
  message_view message_;
};

}  // namespace vagus

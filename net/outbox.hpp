#pragma once

#include "net/buffer.hpp"
#include "net/protocol/frame_batch.hpp"
#include "net/transport.hpp"

#include <cstddef>
#include <deque>
#include <string_view>

namespace vagus {

/// The bytes that a connection still has to write, in order: references to frames, spliced payloads
/// and protocol lines of its own.
class outbox {
public:
  /// Copies a short protocol line (PONG, +OK, -ERR, INFO).
  void append(std::string_view line);

  /// Takes positions [begin, end) of a batch's frames, with the payloads spliced into them.
  void append(const frame_batch& batch, size_t begin, size_t end);

  /// Writes as much as the transport takes, at most `limit` bytes. The result's bytes are what was
  /// written in all; would_block and failed may come after some progress.
  io_result flush(transport& to, size_t limit);

  /// Drops everything behind the frames that are already half written; returns how many bytes.
  size_t drop_unstarted();

  size_t pending() const { return pending_; }
  bool empty() const { return pending_ == 0; }
  void clear();

private:
  struct segment {
    buffer_ptr owner;
    const char* data;
    size_t size;
    bool first;  ///< of what one append has brought: may be dropped from here on
  };

  void push(const buffer_ptr& owner, const char* data, size_t size, bool first);
  void consume(size_t bytes);

  std::deque<segment> segments_;
  buffer_ptr lines_;  ///< where the next line goes, while it has room
  size_t lines_used_ = 0;
  size_t pending_ = 0;
  bool front_started_ = false;  ///< part of the first segment is written
};

}  // namespace vagus

#pragma once

#include "connection.hpp"
#include "frames.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace vagus::bench {

/// Counts the messages of one connection at about the cost of the read calls.
///
/// Frames have one length, so a read is counted by division: the header of its first, its last and
/// its unfinished frame are compared with the shape, and only when one differs (a PING in between,
/// an end message, something wrong) is the buffer walked frame by frame. A lost, additional or
/// longer message moves the headers behind it and so is noticed. With `verify` every frame is
/// walked, and its stamp, filling and line end are checked.
///
/// Owned by one thread; only `received()` may be read by others.
class subscriber {
public:
  struct checks {
    bool verify = false;
    bool every_message = true;  ///< verify: no gaps (false for a queue group's member)
  };

  subscriber(connection c, frame_shape shape, checks how);

  /// Reads until `publishers` end messages have come. Throws `failure` on anything unexpected.
  void read_until_end(unsigned publishers);

  /// Reads until the server ends the stream, at the end of a frame.
  void read_until_closed();

  uint64_t received() const { return received_.load(std::memory_order_relaxed); }
  connection& link() { return link_; }

private:
  bool read_once();
  void consume(size_t n);
  size_t skip_unfinished(size_t n);
  size_t count_alike(size_t at, size_t n);
  size_t walk_one(size_t at, size_t n);
  size_t walk_control(size_t at, size_t n);
  void check_frame(const char* frame);
  void count(uint64_t more) {
    received_.store(received_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }

  connection link_;
  frame_shape shape_;
  checks how_;
  size_t buffer_size_;
  std::unique_ptr<char[]> buffer_;
  size_t carried_ = 0;     ///< bytes at the buffer's front that wait for more
  size_t unfinished_ = 0;  ///< bytes of a counted frame's rest that are still to come
  unsigned ends_ = 0;
  std::string filling_;
  std::array<uint64_t, 100> next_stamp_{};
  std::atomic<uint64_t> received_ = 0;
};

}  // namespace vagus::bench

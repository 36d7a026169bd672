#include "subscriber.hpp"

#include "common.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace vagus::bench {

namespace {

/// Small enough to stay in the cache: what the kernel copies in is looked at once.
constexpr size_t usual_buffer = 128u << 10;
constexpr size_t longest_line = 8192;
constexpr size_t incomplete = 0;

}  // namespace

subscriber::subscriber(connection c, frame_shape shape, checks how)
    : link_(std::move(c)),
      shape_(std::move(shape)),
      how_(how),
      buffer_size_(std::max(usual_buffer, 2 * shape_.total)),
      buffer_(std::make_unique<char[]>(buffer_size_)) {
  filling_ = std::string(shape_.total - shape_.header - 2 - stamp_size, 'x') + "\r\n";
  const std::string rest = link_.take_rest();
  std::memcpy(buffer_.get(), rest.data(), rest.size());
  carried_ = rest.size();
}

void subscriber::read_until_end(unsigned publishers) {
  while (ends_ < publishers)
    if (!read_once()) throw failure("the server closed a subscriber (slow consumer?)");
  ends_ -= publishers;
}

void subscriber::read_until_closed() {
  while (read_once()) {
  }
  if (carried_ != 0 || unfinished_ != 0) throw failure("the stream ends inside a frame");
}

bool subscriber::read_once() {
  const size_t n = link_.receive(buffer_.get() + carried_, buffer_size_ - carried_);
  if (n == 0) return false;
  consume(carried_ + n);
  return true;
}

/// `n` bytes are in the buffer; afterwards those of an incomplete piece are at its front.
void subscriber::consume(size_t n) {
  size_t at = skip_unfinished(n);
  while (at < n) {
    if (!how_.verify) at = count_alike(at, n);
    if (at == n) break;
    const size_t used = walk_one(at, n);
    if (used == incomplete) break;
    at += used;
  }
  carried_ = n - at;
  if (carried_ == buffer_size_) throw failure("a frame that never ends");
  if (carried_ > 0) std::memmove(buffer_.get(), buffer_.get() + at, carried_);
}

size_t subscriber::skip_unfinished(size_t n) {
  const size_t part = std::min(n, unfinished_);
  if (part > 0 && part == unfinished_) count(1);
  unfinished_ -= part;
  return part;
}

/// Counts as many complete frames as can be trusted after two comparisons. Returns where it
/// stopped.
size_t subscriber::count_alike(size_t at, size_t n) {
  const size_t frames = (n - at) / shape_.total;
  if (frames < 2 || !shape_.matches(buffer_.get() + at)) return at;
  const size_t end = at + frames * shape_.total;
  const bool alike = shape_.matches(buffer_.get() + end - shape_.total) &&
                     (n - end < shape_.header || shape_.matches(buffer_.get() + end));
  if (!alike) return at;
  count(frames);
  return end;
}

size_t subscriber::walk_one(size_t at, size_t n) {
  const size_t left = n - at;
  if (left < shape_.header || !shape_.matches(buffer_.get() + at)) return walk_control(at, n);
  if (left >= shape_.total) {
    if (how_.verify) check_frame(buffer_.get() + at);
    count(1);
    return shape_.total;
  }
  if (how_.verify) return incomplete;
  unfinished_ = shape_.total - left;
  return left;
}

size_t subscriber::walk_control(size_t at, size_t n) {
  const std::string_view left(buffer_.get() + at, n - at);
  const size_t line_end = left.find("\r\n");
  if (line_end == std::string_view::npos) {
    if (left.size() > longest_line) throw failure("a line that never ends");
    return incomplete;
  }
  const std::string_view line = left.substr(0, line_end);
  if (line == "PING") {
    link_.send("PONG\r\n");
  } else if (end_message.starts_with(line)) {
    if (left.size() < end_message.size()) return incomplete;
    ++ends_;
    return end_message.size();
  } else if (line != "PONG" && !line.starts_with("INFO ")) {
    throw failure("unexpected from the server: " + std::string(line.substr(0, 80)));
  }
  return line_end + 2;
}

void subscriber::check_frame(const char* frame) {
  const std::string stamp(frame + shape_.header, stamp_size);
  if (std::memcmp(frame + shape_.header + stamp_size, filling_.data(), filling_.size()) != 0)
    throw failure("a changed payload behind stamp " + stamp);
  const auto publisher = static_cast<size_t>(std::atoi(stamp.substr(0, 2).c_str()));
  const uint64_t number = std::strtoull(stamp.c_str() + 2, nullptr, 10);
  uint64_t& next = next_stamp_.at(publisher);
  if (number < next) throw failure("a message twice, or out of order: stamp " + stamp);
  if (number > next && how_.every_message) throw failure("messages lost before stamp " + stamp);
  next = number + 1;
}

}  // namespace vagus::bench

#include "fake_transport.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstring>

namespace vagus {

void fake_transport::arrive(std::string bytes) {
  if (!bytes.empty()) arrived_.push_back(std::move(bytes));
  post_readable();
}

void fake_transport::arrive_end() {
  ended_ = true;
  post_readable();
}

void fake_transport::reset() {
  broken_ = true;
  post_readable();
  post_writable();
}

void fake_transport::take(size_t bytes) {
  room_ = bytes;
  if (bytes > 0) post_writable();
}

io_result fake_transport::read(char* to, size_t capacity) {
  if (broken_ || closed_) return {io_result::kind::failed, 0};
  if (arrived_.empty()) {
    if (ended_) return {io_result::kind::closed, 0};
    return {io_result::kind::would_block, 0};
  }
  auto& front = arrived_.front();
  auto size = std::min(capacity, front.size());
  std::memcpy(to, front.data(), size);
  front.erase(0, size);
  if (front.empty()) arrived_.pop_front();
  return {io_result::kind::done, size};
}

io_result fake_transport::write(const iovec* parts, size_t count) {
  if (broken_ || closed_) return {io_result::kind::failed, 0};
  size_t taken = 0;
  for (size_t i = 0; i < count && room_ > 0; ++i) {
    auto size = std::min(room_, parts[i].iov_len);
    written.append(static_cast<const char*>(parts[i].iov_base), size);
    taken += size;
    if (room_ != SIZE_MAX) room_ -= size;
  }
  if (taken == 0) return {io_result::kind::would_block, 0};
  ++writes;
  return {io_result::kind::done, taken};
}

void fake_transport::await_readable() {
  awaiting_readable_ = true;
  post_readable();
}

void fake_transport::await_writable() {
  awaiting_writable_ = true;
  post_writable();
}

void fake_transport::close() {
  closed_ = true;
  events_ = nullptr;
}

void fake_transport::post_readable() {
  if (!awaiting_readable_ || !readable() || loop_ == nullptr) return;
  awaiting_readable_ = false;
  boost::asio::post(loop_->io(), [self = shared_from_this()] {
    if (self->events_ != nullptr) self->events_->on_readable();
  });
}

void fake_transport::post_writable() {
  if (!awaiting_writable_ || (room_ == 0 && !broken_) || loop_ == nullptr) return;
  awaiting_writable_ = false;
  boost::asio::post(loop_->io(), [self = shared_from_this()] {
    if (self->events_ != nullptr) self->events_->on_writable();
  });
}

}  // namespace vagus

#include "net/outbox.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace vagus {

namespace {

constexpr size_t lines_capacity = 2048;
constexpr size_t parts_per_write = 64;

}  // namespace

void outbox::push(const buffer_ptr& owner, const char* data, size_t size, bool first) {
  if (size == 0) return;
  if (!segments_.empty() && segments_.back().data + segments_.back().size == data &&
      segments_.back().owner == owner) {
    segments_.back().size += size;
    pending_ += size;
    return;
  }
  segments_.push_back({owner, data, size, first});
  pending_ += size;
}

void outbox::append(std::string_view line) {
  if (!lines_ || lines_used_ + line.size() > lines_->capacity()) {
    lines_ = buffer::make(std::max(lines_capacity, line.size()));
    lines_used_ = 0;
  }
  char* at = lines_->data() + lines_used_;
  std::memcpy(at, line.data(), line.size());
  lines_used_ += line.size();
  push(lines_, at, line.size(), true);
}

void outbox::append(const frame_batch& batch, size_t begin, size_t end) {
  const auto& frames = batch.frames();
  const auto& splices = batch.splices();
  auto splice = std::lower_bound(splices.begin(), splices.end(), begin,
                                 [](const frame_splice& s, size_t at) { return s.at < at; });
  bool first = true;
  for (; splice != splices.end() && splice->at < end; ++splice) {
    push(frames, frames->data() + begin, splice->at - begin, first);
    push(splice->source, splice->data, splice->size, false);
    begin = splice->at;
    first = false;
  }
  push(frames, frames->data() + begin, end - begin, first);
}

void outbox::consume(size_t bytes) {
  pending_ -= bytes;
  while (bytes > 0) {
    auto& front = segments_.front();
    if (bytes < front.size) {
      front.data += bytes;
      front.size -= bytes;
      front_started_ = true;
      return;
    }
    bytes -= front.size;
    segments_.pop_front();
    front_started_ = false;
  }
  if (segments_.empty()) lines_ = nullptr;
}

io_result outbox::flush(transport& to, size_t limit) {
  size_t written = 0;
  while (!segments_.empty() && written < limit) {
    std::array<iovec, parts_per_write> parts;
    size_t count = 0;
    size_t offered = 0;
    for (const auto& s : segments_) {
      auto room = limit - written - offered;
      if (count == parts.size() || room == 0) break;
      auto size = std::min(s.size, room);
      parts[count++] = {const_cast<char*>(s.data), size};
      offered += size;
    }
    auto result = to.write(parts.data(), count);
    if (result.state != io_result::kind::done) return {result.state, written};
    consume(result.bytes);
    written += result.bytes;
    if (result.bytes < offered) return {io_result::kind::would_block, written};
  }
  return {io_result::kind::done, written};
}

size_t outbox::drop_unstarted() {
  size_t keep = 0;
  if (!segments_.empty() && (front_started_ || !segments_.front().first)) keep = 1;
  while (keep > 0 && keep < segments_.size() && !segments_[keep].first) ++keep;
  size_t dropped = 0;
  for (; segments_.size() > keep; segments_.pop_back()) dropped += segments_.back().size;
  lines_ = nullptr;
  pending_ -= dropped;
  return dropped;
}

void outbox::clear() {
  front_started_ = false;
  segments_.clear();
  lines_ = nullptr;
  pending_ = 0;
}

}  // namespace vagus

#include "net/protocol/frame_batch.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace vagus {

namespace {

template <class Word>
void copy_word(char* to, const char* from) {
  Word w;
  std::memcpy(&w, from, sizeof w);
  std::memcpy(to, &w, sizeof w);
}

/// Subjects, sids and small payloads are short: copied by words, of which the last may overlap.
inline char* put(char* to, std::string_view text) {
  const char* from = text.data();
  size_t n = text.size();
  if (n > 64) {
    std::memcpy(to, from, n);
  } else if (n >= 8) {
    for (size_t i = 0; i + 8 <= n; i += 8) copy_word<uint64_t>(to + i, from + i);
    copy_word<uint64_t>(to + n - 8, from + n - 8);
  } else if (n >= 4) {
    copy_word<uint32_t>(to, from);
    copy_word<uint32_t>(to + n - 4, from + n - 4);
  } else {
    for (size_t i = 0; i < n; ++i) to[i] = from[i];
  }
  return to + n;
}

char* put_number(char* to, uint64_t value) {
  if (value < 10) {
    *to = static_cast<char>('0' + value);
    return to + 1;
  }
  return std::to_chars(to, to + 20, value).ptr;
}

/// Room for "HMSG ", the blanks, two numbers and two line ends.
constexpr size_t frame_overhead = 5 + 4 + 2 * 20 + 4;

}  // namespace

frame_batch::frame_batch(size_t expected)
    : frames_{buffer::make(std::max<size_t>(expected, 512))} {}

char* frame_batch::reserve(size_t bytes) {
  if (size_ + bytes > frames_->capacity()) {
    auto larger = buffer::make(std::max(frames_->capacity() * 4, size_ + bytes));
    std::memcpy(larger->data(), frames_->data(), size_);
    frames_ = std::move(larger);
  }
  return frames_->data() + size_;
}

void frame_batch::note_run(const target& to, size_t begin, size_t body) {
  if (!runs_.empty()) {
    auto& last = runs_.back();
    if (last.slot == to.slot && last.generation == to.generation && last.queue == to.queue) {
      last.count += 1;
      last.bytes += body;
      last.end = size_;
      return;
    }
  }
  runs_.push_back({to.slot, to.generation, to.queue, 1, body, begin, size_});
}

void frame_batch::append(const message_view& message, const target& to) {
  bool headers = message.header_size > 0 && to.headers;
  std::string_view body = headers ? message.body : message.payload();
  bool splice = body.size() >= splice_from && message.source != nullptr;
  char* start = reserve(frame_overhead + message.subject.size() + to.sid.size() +
                        message.reply.size() + (splice ? 0 : body.size()));
  char* at = put(start, headers ? std::string_view{"HMSG "} : std::string_view{"MSG "});
  at = put(at, message.subject);
  *at++ = ' ';
  at = put(at, to.sid);
  *at++ = ' ';
  if (!message.reply.empty()) {
    at = put(at, message.reply);
    *at++ = ' ';
  }
  if (headers) {
    at = put_number(at, static_cast<uint64_t>(message.header_size));
    *at++ = ' ';
  }
  at = put_number(at, body.size());
  *at++ = '\r';
  *at++ = '\n';
  size_t begin = size_;
  if (splice) {
    splices_.push_back({size_ + static_cast<size_t>(at - start), buffer_ptr{message.source},
                        body.data(), body.size()});
    spliced_ += body.size();
  } else {
    at = put(at, body);
  }
  *at++ = '\r';
  *at++ = '\n';
  size_ += static_cast<size_t>(at - start);
  note_run(to, begin, body.size());
}

}  // namespace vagus

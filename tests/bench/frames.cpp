#include "frames.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>

namespace vagus::bench {

std::string pub_frame(std::string_view subject, size_t payload) {
  return "PUB " + std::string(subject) + " " + std::to_string(payload) + "\r\n" +
         std::string(payload, 'x') + "\r\n";
}

std::string msg_frame(std::string_view subject, std::string_view sid, size_t payload) {
  return "MSG " + std::string(subject) + " " + std::string(sid) + " " + std::to_string(payload) +
         "\r\n" + std::string(payload, 'x') + "\r\n";
}

bool frame_shape::matches(const char* frame) const {
  return std::memcmp(frame, prefix.data(), prefix.size()) == 0 &&
         std::memcmp(frame + header - suffix.size(), suffix.data(), suffix.size()) == 0;
}

frame_shape shape_of(std::string_view subject, std::string_view sid, size_t payload) {
  const std::string frame = msg_frame(subject, sid, payload);
  const size_t header = frame.size() - payload - 2;
  return {frame.substr(0, header), "", header, frame.size()};
}

frame_shape varying_shape_of(std::string_view subject, size_t common, std::string_view sid,
                             size_t payload) {
  frame_shape shape = shape_of(subject, sid, payload);
  const size_t fixed_end = std::to_string(payload).size() + 3;
  shape.suffix = shape.prefix.substr(shape.header - fixed_end);
  shape.prefix.resize(4 + common);
  return shape;
}

chunk::chunk(const std::vector<std::string>& subjects, size_t payload, size_t size) {
  length_ = pub_frame(subjects.front(), payload).size();
  payload_at_ = length_ - payload - 2;
  frames_ = std::max<size_t>(1, size / length_);
  std::minstd_rand random(42);
  bytes_.reserve(frames_ * length_);
  for (size_t i = 0; i < frames_; ++i)
    bytes_ += pub_frame(subjects[subjects.size() == 1 ? 0 : random() % subjects.size()], payload);
}

void chunk::stamp(unsigned publisher, uint64_t first) {
  for (size_t i = 0; i < frames_; ++i) {
    char text[stamp_size + 1];
    std::snprintf(text, sizeof text, "%02u%014llu", publisher % 100,
                  static_cast<unsigned long long>((first + i) % 100'000'000'000'000));
    std::memcpy(bytes_.data() + i * length_ + payload_at_, text, stamp_size);
  }
}

}  // namespace vagus::bench

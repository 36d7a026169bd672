#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vagus::bench {

/// The subject on which a publisher says that it has finished. Every subscriber of a throughput
/// case subscribes to it, and since messages of one publisher never overtake each other, its
/// arrival means that all earlier ones have arrived, or are lost.
inline constexpr std::string_view end_subject = "end";
inline constexpr std::string_view end_subscription = "SUB end 9\r\n";
inline constexpr std::string_view end_publication = "PUB end 0\r\n\r\n";
inline constexpr std::string_view end_message = "MSG end 9 0\r\n\r\n";

/// In front of each payload in verify mode: two digits of publisher, fourteen of sequence number.
inline constexpr size_t stamp_size = 16;

std::string pub_frame(std::string_view subject, size_t payload);
std::string msg_frame(std::string_view subject, std::string_view sid, size_t payload);

/// What all data frames of a subscriber have in common: their length, and the parts of the header
/// that do not vary. Frames of constant length are what makes counting by bytes possible.
struct frame_shape {
  std::string prefix;  ///< begins each header
  std::string suffix;  ///< ends each header, "\r\n" included
  size_t header = 0;
  size_t total = 0;

  bool matches(const char* frame) const;
};

/// The shape of messages that differ in nothing, or (`varying`) in the digits that follow the first
/// `common` characters of the subject and in the sid.
frame_shape shape_of(std::string_view subject, std::string_view sid, size_t payload);
frame_shape varying_shape_of(std::string_view subject, size_t common, std::string_view sid,
                             size_t payload);

/// Many PUB frames of one length behind each other: what a publisher writes at once.
class chunk {
public:
  /// One frame for each of `subjects` (of equal length) in a fixed pseudo-random order, about
  /// `size` bytes and at least one frame.
  chunk(const std::vector<std::string>& subjects, size_t payload, size_t size);

  std::string_view bytes() const { return bytes_; }
  size_t frames() const { return frames_; }

  /// Numbers the payloads `publisher`, `first`, `first + 1`... for a verifying subscriber.
  void stamp(unsigned publisher, uint64_t first);

private:
  std::string bytes_;
  size_t frames_ = 0;
  size_t length_ = 0;
  size_t payload_at_ = 0;
};

}  // namespace vagus::bench

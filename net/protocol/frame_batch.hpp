#pragma once

#include "net/buffer.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace vagus {

/// A message as it was published: views into one read buffer.
struct message_view {
  std::string_view subject;
  std::string_view reply;
  std::string_view body;     ///< headers and payload together
  int64_t header_size = -1;  ///< bytes of the header block; -1: none
  buffer* source = nullptr;  ///< the buffer that body points into; null: body must be copied

  std::string_view headers() const {
    return header_size > 0 ? body.substr(0, static_cast<size_t>(header_size)) : std::string_view{};
  }
  std::string_view payload() const {
    return header_size > 0 ? body.substr(static_cast<size_t>(header_size)) : body;
  }
};

/// Consecutive frames of one subscription inside a batch.
struct frame_run {
  uint32_t slot;        ///< the receiver's slot of that subscription
  uint32_t generation;  ///< of the slot: the receiver drops frames of a subscription that is gone
  uint32_t queue;       ///< the queue group's id, 0 for a plain subscription
  uint32_t count;       ///< messages
  uint64_t bytes;       ///< headers and payloads, for the counters
  size_t begin;         ///< position in frame_batch::bytes
  size_t end;
};

/// A large payload that was not copied: it belongs at position `at` of the frames.
struct frame_splice {
  size_t at;
  buffer_ptr source;
  const char* data;
  size_t size;
};

/// All that one read of one connection has for one destination, already in wire format
/// (MSG and HMSG frames), so that the destination only writes. Filled by one event loop, then
/// immutable, then consumed by the destination.
///
/// Payloads of at least `splice_from` bytes are not copied but referred to.
class frame_batch : public boost::intrusive_ref_counter<frame_batch> {
public:
  static constexpr size_t splice_from = 8 * 1024;

  /// @param expected bytes that will probably be appended
  explicit frame_batch(size_t expected);

  struct target {
    std::string_view sid;
    uint32_t slot;
    uint32_t generation;
    uint32_t queue;
    bool headers;  ///< false: the receiver gets no headers; they are stripped
  };

  /// Appends one message as a MSG or HMSG frame.
  void append(const message_view& message, const target& to);

  /// Who published all of it; only for a destination that asks for it.
  std::shared_ptr<const void> publisher;

  const std::vector<frame_run>& runs() const { return runs_; }
  const std::vector<frame_splice>& splices() const { return splices_; }
  const buffer_ptr& frames() const { return frames_; }

  /// Bytes that the destination will have to write.
  size_t total() const { return size_ + spliced_; }
  size_t size() const { return size_; }

private:
  char* reserve(size_t bytes);
  void note_run(const target& to, size_t begin, size_t body);

  buffer_ptr frames_;
  size_t size_ = 0;
  size_t spliced_ = 0;
  std::vector<frame_run> runs_;
  std::vector<frame_splice> splices_;
};

using frame_batch_ptr = boost::intrusive_ptr<frame_batch>;

}  // namespace vagus

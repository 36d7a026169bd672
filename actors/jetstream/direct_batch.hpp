#pragma once

#include "actors/jetstream/requests.hpp"
#include "storage/message_store.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// One answer to a direct get: the stored message's own headers, where it was stored, and its
/// payload, in one buffer that is used again.
class direct_answer {
public:
  /// `more` are header lines that follow, each with its end of line.
  void make(std::string_view stream, const stored_message& m, std::string_view more = "");
  /// "NATS/1.0 404 Message Not Found" and the like.
  void status(std::string_view status, std::string_view more = "");

  std::string_view body() const { return {text_.data(), text_.size()}; }
  int64_t header_size() const { return header_size_; }

private:
  fmt::basic_memory_buffer<char, 1024> text_;
  int64_t header_size_ = 0;
};

/// A direct get that is answered with several messages (ADR-31): `batch`, or `multi_last`. Sends
/// them slice by slice, so that the stream has time for others.
class direct_batch {
public:
  direct_batch(std::string stream, std::string reply, msg_get_request request, int64_t max_bytes);

  using sink = std::function<void(std::string_view reply, const direct_answer& answer)>;

  /// Sends up to `at_most` answers. False: that was the end.
  bool run(store_snapshot& from, size_t at_most, const sink& send);

private:
  bool start(store_snapshot& from, const sink& send);
  bool start_multi(store_snapshot& from, const sink& send);
  void fill(store_snapshot& from, size_t at_most);
  bool refuse(const sink& send, std::string_view status);
  void finish(const sink& send);

  std::string stream_;
  std::string reply_;
  msg_get_request request_;
  direct_answer answer_;
  bool started_ = false;
  bool multi_ = false;
  bool exhausted_ = false;      ///< `seqs_` has all that follow
  std::vector<uint64_t> seqs_;  ///< what is sent next
  size_t next_ = 0;             ///< in `seqs_`
  uint64_t from_ = 0;           ///< where `fill` goes on
  uint64_t pending_ = 0;        ///< what matches and was not sent
  uint64_t last_ = 0;           ///< the last that was sent
  int64_t left_ = 0;            ///< messages that may still be sent
  int64_t bytes_left_ = 0;
};

}  // namespace vagus

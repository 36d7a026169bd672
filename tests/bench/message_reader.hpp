#pragma once

#include "connection.hpp"

#include <string>
#include <string_view>

namespace vagus::bench {

/// A message as it was received. The views are good until the next `fill`.
struct incoming {
  std::string_view subject;
  std::string_view headers;  ///< from "NATS/1.0" to the empty line; empty for MSG
  std::string_view payload;
  std::string_view reply;  ///< empty: none
};

/// Cuts what a connection receives into messages. Answers PINGs, fails on -ERR and on a close.
/// The connection must outlive it and be read by nobody else.
class message_reader {
public:
  explicit message_reader(connection& link);

  /// The next message among what has been received; false when none is complete.
  bool next(incoming& message);

  /// Reads once, waiting if there is nothing. What `next` gave before is invalid.
  void fill();

  /// The next message, waiting for it.
  incoming wait();

private:
  bool next_of_line(std::string_view line, size_t line_size, incoming& message);
  std::string_view unread() const { return std::string_view(buffer_).substr(at_, end_ - at_); }

  connection* link_;
  std::string buffer_;  ///< received are the bytes up to `end_`; those up to `at_` are done with
  size_t at_ = 0, end_ = 0;
};

}  // namespace vagus::bench

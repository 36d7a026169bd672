#pragma once

#include "tests/support/text.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace vagus::test {

/// A TCP connection to a port on the loopback device that sends and expects plain bytes. Every wait
/// has a deadline. Not thread-safe. Closes its socket on destruction.
class raw_connection {
public:
  using clock = std::chrono::steady_clock;

  /// Connects, or throws `failure`.
  explicit raw_connection(int port);
  raw_connection(raw_connection&& other) noexcept;
  raw_connection& operator=(raw_connection&& other) noexcept;
  ~raw_connection();

  /// Sends all of it; returns false when the server has closed or does not take it within `limit`.
  /// Whatever arrives meanwhile is kept for `expect`, so that two full pipes cannot wait for each
  /// other; with `also_read` false the connection stays a reader that is stuck.
  bool send(std::string_view bytes, std::chrono::milliseconds limit = patience,
            bool also_read = true);
  /// The same, one byte per system call.
  bool send_bytewise(std::string_view bytes);

  /// The next bytes must be exactly these. Throws `failure` as soon as they cannot be.
  /// A PING of the server that comes between is answered, unless `bytes` starts with one.
  void expect(std::string_view bytes);
  /// The next line without its CRLF.
  std::string read_line();
  /// Discards everything up to and including `bytes`.
  void skip_past(std::string_view bytes);
  /// The server must close, with nothing more to read. A reset counts as closed.
  void expect_closed();
  /// Discards everything until the server closes; returns the last bytes (up to 4 KiB).
  std::string drain_to_end();
  /// PING, then PONG and nothing else.
  void barrier();

  /// Waits until something more arrives. False: the deadline passed or the server closed.
  bool fill(clock::time_point deadline);
  std::string& received() { return buffer_; }
  bool closed() const { return closed_; }
  int fd() const { return fd_; }

  void close();
  void reset();       ///< closes with RST
  void half_close();  ///< no more from this side

private:
  bool answer_ping();

  int fd_ = -1;
  bool closed_ = false;
  std::string buffer_;
};

/// Connects, reads INFO, sends CONNECT with verbose and pedantic off and headers and no_responders
/// on, and waits for the PONG of a first PING.
raw_connection connect_client(int port);

}  // namespace vagus::test

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vagus::bench {

/// A TCP connection to 127.0.0.1 with blocking calls; the client side of the NATS handshake is the
/// only protocol it knows. Every call throws `failure` on a closed connection, an -ERR, or when the
/// server is silent or does not read for `io_timeout`.
class connection {
public:
  static constexpr int io_timeout_seconds = 20;

  /// Connects only. What a NATS client says first is `hello()`.
  explicit connection(uint16_t port);
  ~connection();
  connection(connection&& other) noexcept;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  connection& operator=(connection&&) = delete;

  /// A connection that has its INFO, and the PONG to its CONNECT and PING.
  static connection client(uint16_t port);

  /// Reads INFO, sends CONNECT and PING; `await_pong()` completes the handshake.
  void hello();

  /// Writes all of it.
  void send(std::string_view bytes);

  /// At least one byte, 0 only at the end of the stream.
  size_t receive(char* to, size_t most);

  /// PING, then reads until the PONG: all that was sent before has been acted on.
  /// For connections that expect no messages meanwhile.
  void flush();

  /// Reads lines until a PONG; answers PINGs, fails on -ERR.
  void await_pong();

  /// What was received behind the last PONG and belongs to the next reader.
  std::string take_rest() { return std::exchange(rest_, {}); }

  /// What the server has said and nobody read, in short: an -ERR before it closed, say.
  std::string last_words();

  /// Wakes whoever is blocked on it, with an error. May be called from any thread.
  void abort();

  int fd() const { return fd_; }

private:
  std::string next_line();

  int fd_ = -1;
  std::string rest_;
};

/// The CONNECT line of a modern client, with its line end.
std::string_view connect_line();

}  // namespace vagus::bench

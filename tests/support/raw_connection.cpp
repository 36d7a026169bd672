#include "tests/support/raw_connection.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace vagus::test {
namespace {

constexpr std::string_view ping = "PING\r\n";

int milliseconds_left(raw_connection::clock::time_point deadline) {
  const auto left = deadline - raw_connection::clock::now();
  return std::max<int>(0, std::chrono::ceil<std::chrono::milliseconds>(left).count());
}

}  // namespace

raw_connection::raw_connection(int port) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) throw failure{std::string{"socket: "} + std::strerror(errno)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    const std::string reason = std::strerror(errno);
    close();
    throw failure{"connect to port " + std::to_string(port) + ": " + reason};
  }
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(fd_, F_SETFL, O_NONBLOCK);
}

raw_connection::raw_connection(raw_connection&& other) noexcept {
  *this = std::move(other);
}

raw_connection& raw_connection::operator=(raw_connection&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(closed_, other.closed_);
  std::swap(buffer_, other.buffer_);
  return *this;
}

raw_connection::~raw_connection() {
  close();
}

bool raw_connection::send(std::string_view bytes, std::chrono::milliseconds limit, bool also_read) {
  const auto deadline = clock::now() + limit;
  while (!bytes.empty()) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) return false;
    pollfd p{fd_, static_cast<short>(POLLOUT | (also_read ? POLLIN : 0)), 0};
    if (::poll(&p, 1, milliseconds_left(deadline)) == 0) return false;
    if (p.revents & POLLIN) fill(clock::now());
    if (p.revents & POLLERR) return false;
  }
  return true;
}

bool raw_connection::send_bytewise(std::string_view bytes) {
  for (const char& c : bytes)
    if (!send({&c, 1})) return false;
  return true;
}

bool raw_connection::fill(clock::time_point deadline) {
  if (closed_) return false;
  for (;;) {
    char chunk[64 * 1024];
    const auto n = ::recv(fd_, chunk, sizeof chunk, 0);
    if (n > 0) {
      buffer_.append(chunk, static_cast<size_t>(n));
      return true;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
      closed_ = true;
      return false;
    }
    pollfd p{fd_, POLLIN, 0};
    if (::poll(&p, 1, milliseconds_left(deadline)) == 0) return false;
  }
}

bool raw_connection::answer_ping() {
  if (!buffer_.starts_with(ping)) return false;
  buffer_.erase(0, ping.size());
  send("PONG\r\n");
  return true;
}

void raw_connection::expect(std::string_view bytes) {
  const auto deadline = clock::now() + patience;
  const bool wants_ping = bytes.starts_with(ping);
  for (;;) {
    if (!wants_ping && answer_ping()) continue;
    const auto n = std::min(bytes.size(), buffer_.size());
    const bool so_far = bytes.substr(0, n) == std::string_view{buffer_}.substr(0, n);
    const bool may_be_ping =
        !wants_ping && ping.starts_with(std::string_view{buffer_}.substr(0, n));
    if (so_far && n == bytes.size()) {
      buffer_.erase(0, n);
      return;
    }
    if ((!so_far && !may_be_ping) || !fill(deadline))
      throw failure{"expected " + printable(bytes) + "\n       got " + printable(buffer_) +
                    (closed_ ? " <closed>" : "")};
  }
}

std::string raw_connection::read_line() {
  const auto deadline = clock::now() + patience;
  for (;;) {
    if (answer_ping()) continue;
    if (const auto end = buffer_.find("\r\n"); end != std::string::npos) {
      auto line = buffer_.substr(0, end);
      buffer_.erase(0, end + 2);
      return line;
    }
    if (!fill(deadline))
      throw failure{"expected a line, got " + printable(buffer_) + (closed_ ? " <closed>" : "")};
  }
}

void raw_connection::skip_past(std::string_view bytes) {
  const auto deadline = clock::now() + patience;
  for (;;) {
    if (const auto at = buffer_.find(bytes); at != std::string::npos) {
      buffer_.erase(0, at + bytes.size());
      return;
    }
    if (buffer_.size() > bytes.size()) buffer_.erase(0, buffer_.size() - bytes.size());
    if (!fill(deadline))
      throw failure{"never came: " + printable(bytes) + "; last " + printable(buffer_) +
                    (closed_ ? " <closed>" : "")};
  }
}

void raw_connection::expect_closed() {
  const auto deadline = clock::now() + patience;
  while (fill(deadline) || answer_ping()) {
  }
  if (!closed_ || !buffer_.empty())
    throw failure{"expected a close, got " + printable(buffer_) + (closed_ ? " <closed>" : "")};
}

std::string raw_connection::drain_to_end() {
  const auto deadline = clock::now() + 3 * patience;
  constexpr size_t tail = 4096;
  while (fill(deadline))
    if (buffer_.size() > tail) buffer_.erase(0, buffer_.size() - tail);
  if (!closed_) throw failure{"expected a close, still open; last " + printable(buffer_)};
  return std::exchange(buffer_, {});
}

void raw_connection::barrier() {
  send(ping);
  expect("PONG\r\n");
}

void raw_connection::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  closed_ = true;
}

void raw_connection::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

void raw_connection::half_close() {
  ::shutdown(fd_, SHUT_WR);
}

raw_connection connect_client(int port) {
  raw_connection c{port};
  c.read_line();
  c.send(
      "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,"
      "\"no_responders\":true}\r\n");
  c.barrier();
  return c;
}

}  // namespace vagus::test

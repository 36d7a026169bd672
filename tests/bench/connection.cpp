#include "connection.hpp"

#include "common.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vagus::bench {

std::string_view connect_line() {
  return "CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"bench\",\"version\":\"1\","
         "\"protocol\":1,\"headers\":true,\"no_responders\":true,\"echo\":true}\r\n";
}

connection::connection(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (fd_ < 0) throw failure(std::string("socket: ") + std::strerror(errno));
  const int on = 1;
  const timeval limit{io_timeout_seconds, 0};
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    const int error = errno;
    close(std::exchange(fd_, -1));
    throw failure(std::string("connect: ") + std::strerror(error));
  }
}

connection::~connection() {
  if (fd_ >= 0) close(fd_);
}

connection::connection(connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), rest_(std::move(other.rest_)) {}

connection connection::client(uint16_t port) {
  connection result(port);
  result.hello();
  result.await_pong();
  return result;
}

void connection::hello() {
  if (!next_line().starts_with("INFO ")) throw failure("the server did not begin with INFO");
  send(std::string(connect_line()) + "PING\r\n");
}

void connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (n < 0 && errno == EAGAIN) {
      throw failure("the server does not read from a publisher");
    } else if (n < 0 && errno != EINTR) {
      throw failure(std::string("the server closed a connection (write: ") + std::strerror(errno) +
                    ")");
    }
  }
}

size_t connection::receive(char* to, size_t most) {
  for (;;) {
    const ssize_t n = recv(fd_, to, most, 0);
    if (n >= 0) return static_cast<size_t>(n);
    if (errno == EAGAIN) throw failure("nothing more arrives: messages were lost or are stuck");
    if (errno != EINTR) throw failure(std::string("read: ") + std::strerror(errno));
  }
}

std::string connection::next_line() {
  for (;;) {
    if (const size_t end = rest_.find("\r\n"); end != std::string::npos) {
      std::string line = rest_.substr(0, end);
      rest_.erase(0, end + 2);
      return line;
    }
    std::array<char, 4096> buffer;
    const size_t n = receive(buffer.data(), buffer.size());
    if (n == 0) throw failure("the server closed a connection");
    rest_.append(buffer.data(), n);
  }
}

void connection::flush() {
  send("PING\r\n");
  await_pong();
}

void connection::await_pong() {
  for (;;) {
    const std::string line = next_line();
    if (line == "PONG") return;
    if (line == "PING") send("PONG\r\n");
    if (line.starts_with("-ERR")) throw failure("the server says " + line);
  }
}

std::string connection::last_words() {
  std::array<char, 200> buffer;
  const ssize_t n = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  std::string words = rest_.append(buffer.data(), n > 0 ? static_cast<size_t>(n) : 0);
  std::replace_if(
      words.begin(), words.end(), [](char c) { return c < ' '; }, ' ');
  return words.empty() ? "" : "; it had said: " + words;
}

void connection::abort() {
  shutdown(fd_, SHUT_RDWR);
}

}  // namespace vagus::bench

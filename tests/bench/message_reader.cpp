#include "message_reader.hpp"

#include "common.hpp"

#include <array>
#include <cstring>
#include <utility>

namespace vagus::bench {

namespace {

constexpr size_t read_size = 128u << 10;

size_t number(std::string_view digits) {
  size_t n = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') throw failure("not a size: " + std::string(digits));
    n = n * 10 + static_cast<size_t>(c - '0');
  }
  return n;
}

/// The words of a line, five at most.
size_t split(std::string_view line, std::array<std::string_view, 5>& words) {
  size_t count = 0;
  while (!line.empty() && count < words.size()) {
    const size_t end = std::min(line.find(' '), line.size());
    words[count++] = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return count;
}

}  // namespace

message_reader::message_reader(connection& link) : link_(&link), buffer_(link.take_rest()) {
  end_ = buffer_.size();
}

bool message_reader::next(incoming& message) {
  for (;;) {
    const std::string_view rest = unread();
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos || end == 0) return false;
    const std::string_view line = rest.substr(0, end - 1);
    if (line.starts_with("MSG ") || line.starts_with("HMSG "))
      return next_of_line(line, end + 1, message);
    if (line.starts_with("-ERR")) throw failure("the server says " + std::string(line));
    if (line == "PING") link_->send("PONG\r\n");
    at_ += end + 1;
  }
}

bool message_reader::next_of_line(std::string_view line, size_t line_size, incoming& message) {
  const bool with_headers = line.front() == 'H';
  line.remove_prefix(with_headers ? 5 : 4);
  std::array<std::string_view, 5> words;
  const size_t count = split(line, words);
  if (count < (with_headers ? 4u : 3u)) throw failure("cut short: " + std::string(line));
  const size_t total = number(words[count - 1]);
  const size_t headers = with_headers ? number(words[count - 2]) : 0;
  const std::string_view rest = unread();
  if (rest.size() < line_size + total + 2) return false;
  const std::string_view body = rest.substr(line_size, total);
  if (rest.substr(line_size + total, 2) != "\r\n") throw failure("a message without its line end");
  const bool with_reply = count == (with_headers ? 5 : 4);
  message = {words[0], body.substr(0, headers), body.substr(headers),
             with_reply ? words[2] : std::string_view{}};
  at_ += line_size + total + 2;
  return true;
}

void message_reader::fill() {
  std::memmove(buffer_.data(), buffer_.data() + at_, end_ - at_);
  end_ -= std::exchange(at_, 0);
  // Only ever grows: filling it with zeros for each read would cost more than the messages.
  if (buffer_.size() < end_ + read_size) buffer_.resize(end_ + read_size);
  const size_t n = link_->receive(buffer_.data() + end_, read_size);
  end_ += n;
  if (n == 0) throw failure("the server closed a connection");
}

incoming message_reader::wait() {
  incoming message;
  while (!next(message)) fill();
  return message;
}

}  // namespace vagus::bench

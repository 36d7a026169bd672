#include "request_load.hpp"

#include "frames.hpp"

#include <cstdio>
#include <cstring>
#include <sys/epoll.h>
#include <unistd.h>

namespace vagus::bench {

namespace {

constexpr size_t payload_size = 128;
constexpr size_t token_size = 8;
constexpr size_t read_size = 64u << 10;
constexpr std::string_view ping = "PING\r\n";

/// 22 characters, as the unique part of an inbox has in most clients.
std::string inbox_of(unsigned index) {
  char text[40];
  std::snprintf(text, sizeof text, "_INBOX.Xq7RkTz0aLm3Vw9c%06u.", index);
  return text;
}

void write_token(std::string& text, size_t at, uint64_t token) {
  constexpr char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (size_t i = token_size; i-- > 0; token /= 62) text[at + i] = digits[token % 62];
}

}  // namespace

requester::requester(uint16_t port, unsigned index) : link_(connection::client(port)) {
  const std::string inbox = inbox_of(index);
  link_.send("SUB " + inbox + "* 1\r\n");
  link_.flush();
  const std::string reply = inbox + std::string(token_size, '0');
  request_ = pub_frame("svc " + reply, payload_size);
  token_at_ = std::string_view("PUB svc ").size() + inbox.size();
  expected_ = msg_frame(reply, "1", payload_size);
  expected_token_at_ = std::string_view("MSG ").size() + inbox.size();
  received_ = link_.take_rest();
}

void requester::ask() {
  write_token(request_, token_at_, ++token_);
  write_token(expected_, expected_token_at_, token_);
  link_.send(request_);
}

bool requester::answered() {
  std::array<char, 4096> buffer;
  const size_t n = link_.receive(buffer.data(), buffer.size());
  if (n == 0) throw failure("the server closed a requester");
  received_.append(buffer.data(), n);
  while (received_.starts_with(ping)) {
    received_.erase(0, ping.size());
    link_.send("PONG\r\n");
  }
  if (received_.size() < expected_.size() || !received_.starts_with(expected_)) {
    if (!expected_.starts_with(received_) && !ping.starts_with(received_))
      throw failure("not the answer: " + received_.substr(0, 80));
    return false;
  }
  received_.erase(0, expected_.size());
  return true;
}

responder::responder(uint16_t port) : link_(connection::client(port)) {
  link_.send("SUB svc 1\r\n");
  link_.flush();
  thread_ = std::thread([this] {
    try {
      serve();
    } catch (const failure& e) {
      if (stopping_) return;
      error_ = e.what();
      failed_ = true;
    }
  });
}

responder::~responder() {
  stopping_ = true;
  link_.abort();
  thread_.join();
}

void responder::serve() {
  std::string buffer = link_.take_rest();
  std::string out;
  for (;;) {
    const size_t have = buffer.size();
    buffer.resize(have + read_size);
    const size_t n = link_.receive(buffer.data() + have, read_size);
    if (n == 0) throw failure("the server closed the responder");
    buffer.resize(have + n);
    out.clear();
    size_t at = 0;
    while (const size_t used = answer(std::string_view(buffer).substr(at), out)) at += used;
    buffer.erase(0, at);
    link_.send(out);
  }
}

/// Answers the first request in `received`. Returns its length, or 0 when it is incomplete.
size_t responder::answer(std::string_view received, std::string& out) {
  constexpr std::string_view header = "MSG svc 1 ";
  const size_t line_end = received.find("\r\n");
  if (line_end == std::string_view::npos) return 0;
  const std::string_view line = received.substr(0, line_end);
  if (line == "PING") {
    out += "PONG\r\n";
    return ping.size();
  }
  if (!line.starts_with(header)) throw failure("unexpected: " + std::string(line));
  const size_t total = line_end + 2 + payload_size + 2;
  if (received.size() < total) return 0;
  out.append("PUB ").append(received.substr(header.size(), total - header.size()));
  return total;
}

request_load::request_load(const server_process& server, unsigned requesters)
    : server_(server), responder_(server.port()), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  requesters_.reserve(requesters);
  for (unsigned i = 0; i < requesters; ++i) {
    requesters_.emplace_back(server.port(), i);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = i;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, requesters_.back().fd(), &event);
  }
}

request_load::~request_load() {
  close(epoll_);
}

sample request_load::run(double seconds) {
  const double server_before = server_.cpu_seconds();
  const double load_before = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const auto begin = steady::now();
  const auto until =
      begin + std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds));
  const uint64_t answers = requesters_.size() == 1 ? run_one(until) : run_many(until);
  const double elapsed = seconds_between(begin, steady::now());
  const auto count = static_cast<double>(answers);
  return {count / elapsed, (server_.cpu_seconds() - server_before) / count * 1e9,
          (cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - load_before) / count * 1e9};
}

uint64_t request_load::run_one(steady::time_point until) {
  uint64_t answers = 0;
  do {
    requesters_.front().ask();
    while (!requesters_.front().answered()) {
    }
    ++answers;
  } while (steady::now() < until);
  return answers;
}

uint64_t request_load::run_many(steady::time_point until) {
  for (auto& r : requesters_) r.ask();
  uint64_t answers = 0;
  size_t in_flight = requesters_.size();
  std::array<epoll_event, 64> events;
  while (in_flight > 0) {
    const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                             connection::io_timeout_seconds * 1000);
    if (n == 0) throw failure("no answers arrive: " + responder_.error());
    const bool over = steady::now() >= until;
    for (int i = 0; i < n; ++i) {
      requester& r = requesters_[events[static_cast<size_t>(i)].data.u32];
      if (!r.answered()) continue;
      ++answers;
      over ? void(--in_flight) : r.ask();
    }
  }
  return answers;
}

}  // namespace vagus::bench

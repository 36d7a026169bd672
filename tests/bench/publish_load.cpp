#include "publish_load.hpp"

#include "jetstream.hpp"
#include "parallel.hpp"

#include <algorithm>
#include <cstring>

namespace vagus::bench {

namespace {

constexpr std::string_view id_header = "NATS/1.0\r\nNats-Msg-Id: ";
constexpr std::string_view id_prefix = "kq3TzR9vLw1B";  // with the token, as long as a client's

/// Bytes after which a write goes out although there is more to send.
constexpr size_t write_size = 128u << 10;

/// Any number of messages for so long from now on.
std::function<uint64_t()> lasting(double seconds) {
  const auto until = steady::now() + std::chrono::duration_cast<steady::duration>(
                                         std::chrono::duration<double>(seconds));
  return [until] { return steady::now() < until ? UINT64_MAX : 0; };
}

}  // namespace

stream_publisher::stream_publisher(uint16_t port, publication what, unsigned index)
    : what_(std::move(what)),
      inbox_(inbox_of(index)),
      acknowledgement_("{\"stream\":\"" + what_.stream + "\""),
      outstanding_(what_.in_flight),
      link_(connection::client(port)),
      reader_(link_) {
  link_.send("SUB " + inbox_ + "* 1\r\n");
  const std::string one = frame();
  length_ = one.size();
  for (size_t i = 0; i < what_.in_flight; ++i) ring_ += one;
  subject_at_ = what_.ids ? 5 : 4;
  token_at_ = subject_at_ + what_.subjects.front().size() + 1 + inbox_.size();
  id_at_ = one.find(id_prefix) + id_prefix.size();
}

std::string stream_publisher::frame() const {
  const std::string begin = what_.subjects.front() + " " + inbox_ + std::string(token_size, '0');
  const std::string payload(what_.payload, 'x');
  if (!what_.ids)
    return "PUB " + begin + " " + std::to_string(payload.size()) + "\r\n" + payload + "\r\n";
  std::string headers;
  headers.append(id_header).append(id_prefix).append(token_size, '0').append("\r\n\r\n");
  return "HPUB " + begin + " " + std::to_string(headers.size()) + " " +
         std::to_string(headers.size() + payload.size()) + "\r\n" + headers + payload + "\r\n";
}

void stream_publisher::fill_in(uint64_t number) {
  char* const to = ring_.data() + number % what_.in_flight * length_;
  write_token(to + token_at_, number);
  if (what_.ids) write_token(to + id_at_, number);
  if (what_.subjects.size() == 1) return;
  if (what_.in_turn) {
    const std::string& next = what_.subjects[number % what_.subjects.size()];
    std::memcpy(to + subject_at_, next.data(), next.size());
    return;
  }
  random_ ^= random_ << 13, random_ ^= random_ >> 7, random_ ^= random_ << 17;
  const std::string& subject = what_.subjects[random_ % what_.subjects.size()];
  std::memcpy(to + subject_at_, subject.data(), subject.size());
}

/// Sends the next `count` messages, whose places in the ring are free.
void stream_publisher::write(size_t count) {
  while (count > 0) {
    const size_t place = sent_ % what_.in_flight;
    const size_t most = std::max<size_t>(1, write_size / length_);
    const size_t n = std::min({count, what_.in_flight - place, most});
    for (size_t i = 0; i < n; ++i) {
      fill_in(sent_ + i);
      outstanding_[place + i] = true;
    }
    link_.send(std::string_view(ring_).substr(place * length_, n * length_));
    sent_ += n;
    count -= n;
  }
}

void stream_publisher::check(const incoming& message) {
  const auto wrong = [&](const std::string& why) {
    return failure(why + ": " + std::string(message.headers) + std::string(message.payload));
  };
  if (!message.payload.starts_with(acknowledgement_)) throw wrong("not an acknowledgement");
  uint64_t sequence = 0;
  const std::string_view rest = message.payload.substr(acknowledgement_.size());
  if (!find_number(rest, "seq", sequence) || rest.find("duplicate") != std::string_view::npos)
    throw wrong("not the acknowledgement of a new message");
  if (message.subject.size() != inbox_.size() + token_size)
    throw wrong("a reply to " + std::string(message.subject));
  const uint64_t number = read_token(message.subject.substr(inbox_.size()));
  if (number >= sent_ || sent_ - number > what_.in_flight ||
      !outstanding_[number % what_.in_flight])
    throw wrong("acknowledged twice or never sent");
  if (what_.shared ? sequence <= last_sequence_ : sequence != number + 1)
    throw wrong("message " + std::to_string(number) + " is out of order");
  last_sequence_ = sequence;
  outstanding_[number % what_.in_flight] = false;
}

size_t stream_publisher::take_acknowledgements() {
  size_t count = 0;
  for (incoming message; reader_.next(message); ++count) check(message);
  acknowledged_ += count;
  return count;
}

void stream_publisher::run(const std::function<uint64_t()>& allowed,
                           std::vector<double>* latencies) {
  // A place is free when its message and, because they are reused in order, all before are done.
  uint64_t floor = sent_;
  for (uint64_t most = allowed();; most = most == 0 ? 0 : allowed()) {
    while (floor < sent_ && !outstanding_[floor % what_.in_flight]) ++floor;
    if (most == 0 && floor == sent_) return;
    const auto begin = steady::now();
    write(std::min<uint64_t>(most, what_.in_flight - (sent_ - floor)));
    do reader_.fill();
    while (take_acknowledgements() == 0);
    if (latencies) latencies->push_back(seconds_between(begin, steady::now()));
  }
}

publish_load::publish_load(const server_process& server, const std::vector<publication>& what,
                           bool memory)
    : server_(server) {
  api_client api(server.port());
  for (const auto& p : what) {
    const std::string& subject = p.subjects.front();
    streams_.push_back(p.stream);
    api.create({p.stream, subject.substr(0, subject.find('.')) + ".>", memory});
    publishers_.push_back(std::make_unique<stream_publisher>(
        server.port(), p, static_cast<unsigned>(publishers_.size())));
  }
}

uint64_t publish_load::acknowledged() const {
  uint64_t sum = 0;
  for (const auto& p : publishers_) sum += p->acknowledged();
  return sum;
}

void publish_load::run_all(const std::function<void(stream_publisher&)>& work) {
  if (publishers_.size() == 1) return work(*publishers_.front());
  std::vector<std::function<void()>> all;
  for (auto& p : publishers_) all.push_back([&] { work(*p); });
  in_parallel(all, [this] {
    for (auto& p : publishers_) p->abort();
  });
}

sample publish_load::run(double seconds) {
  const uint64_t before = acknowledged();
  const double server_before = server_.cpu_seconds();
  const double load_before = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const auto begin = steady::now();
  run_all([most = lasting(seconds)](stream_publisher& p) { p.run(most); });
  const double elapsed = seconds_between(begin, steady::now());
  const auto count = static_cast<double>(acknowledged() - before);
  if (count == 0) throw failure("nothing was acknowledged");
  return {count / elapsed, (server_.cpu_seconds() - server_before) / count * 1e9,
          (cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - load_before) / count * 1e9};
}

void publish_load::store(uint64_t messages) {
  run_all([messages](stream_publisher& p) {
    const uint64_t end = p.sent() + messages;
    p.run([&p, end] { return end - p.sent(); });
  });
}

std::vector<double> publish_load::latencies(double seconds) {
  std::vector<double> all;
  publishers_.front()->run(lasting(seconds), &all);
  return all;
}

void publish_load::check_stored() const {
  api_client api(server_.port());
  for (size_t i = 0; i < streams_.size(); ++i) {
    const uint64_t have = api.state(streams_[i], "messages");
    if (have != publishers_[i]->acknowledged())
      throw failure(streams_[i] + " has " + std::to_string(have) + " messages, acknowledged were " +
                    std::to_string(publishers_[i]->acknowledged()));
  }
}

}  // namespace vagus::bench

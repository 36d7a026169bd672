#include "throughput.hpp"

#include <algorithm>
#include <thread>

namespace vagus::bench {

topology one_to_one(size_t payload) {
  topology what;
  what.payload = payload;
  what.shape = shape_of(what.subjects.front(), "1", payload);
  return what;
}

sample rate_of(const phase& p) {
  const auto count = static_cast<double>(p.delivered > 0 ? p.delivered : p.published);
  return {count / p.seconds, p.server_cpu / count * 1e9, p.load_cpu / count * 1e9};
}

std::vector<sample> measure_rate(const server_process& server, const options& how,
                                 const topology& what) {
  throughput load(server, what, how);
  load.run(how.warm_up);
  return {rate_of(load.run(how.seconds))};
}

throughput::throughput(const server_process& server, const topology& what, const options& how)
    : server_(server),
      what_(what),
      verify_(how.verify),
      window_frames_(std::max<uint64_t>(1, how.window / what.shape.total)),
      published_by_(what.publishers) {
  start_subscribers(server.port(), how);
  for (unsigned i = 0; i < what_.publishers; ++i) {
    publishers_.push_back(connection::client(server.port()));
    chunks_.emplace_back(what_.subjects, what_.payload, how.chunk);
  }
}

void throughput::start_subscribers(uint16_t port, const options& how) {
  const subscriber::checks checks{how.verify, !what_.shared};
  for (unsigned i = 0; i < what_.subscribers; ++i) {
    connection link = connection::client(port);
    link.send(what_.subscriptions);
    link.send(end_subscription);
    link.flush();
    subscribers_.push_back(std::make_unique<subscriber>(std::move(link), what_.shape, checks));
  }
}

phase throughput::run(double seconds) {
  const uint64_t published_before = published_;
  const uint64_t received_before = total_received();
  const double server_before = server_.cpu_seconds();
  const double load_before = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const auto begin = steady::now();
  const auto until =
      begin + std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds));
  std::vector<std::thread> threads;
  for (auto& s : subscribers_)
    threads.emplace_back([this, &s] { guarded([&] { s->read_until_end(what_.publishers); }); });
  for (unsigned i = 0; i < what_.publishers; ++i)
    threads.emplace_back([this, i, until] { guarded([&] { publish(i, until); }); });
  for (auto& t : threads) t.join();
  phase result;
  result.seconds = seconds_between(begin, steady::now());
  result.load_cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - load_before;
  if (failed_) throw failure(error_);
  result.server_cpu = server_.cpu_seconds() - server_before;
  result.published = published_ - published_before;
  result.delivered = total_received() - received_before;
  check(result);
  return result;
}

void throughput::publish(unsigned index, steady::time_point until) {
  connection& link = publishers_[index];
  chunk& data = chunks_[index];
  do {
    pause_while_full();
    if (verify_) data.stamp(index, published_by_[index]);
    link.send(data.bytes());
    published_by_[index] += data.frames();
    published_.fetch_add(data.frames(), std::memory_order_relaxed);
  } while (!failed_ && steady::now() < until);
  link.send(end_publication);
  link.flush();
}

void throughput::pause_while_full() {
  if (subscribers_.empty()) return;
  while (!failed_ && published_.load(std::memory_order_relaxed) > slowest() + window_frames_)
    std::this_thread::sleep_for(std::chrono::microseconds{100});
}

uint64_t throughput::slowest() const {
  if (what_.shared) return total_received();
  uint64_t least = UINT64_MAX;
  for (const auto& s : subscribers_) least = std::min(least, s->received());
  return least;
}

uint64_t throughput::total_received() const {
  uint64_t sum = 0;
  for (const auto& s : subscribers_) sum += s->received();
  return sum;
}

/// Runs a thread's work; the first failure is kept and ends the other threads.
void throughput::guarded(const std::function<void()>& work) {
  try {
    work();
  } catch (const failure& e) {
    const std::lock_guard lock(error_mutex_);
    if (failed_) return;
    error_ = e.what();
    failed_ = true;
    for (auto& s : subscribers_) s->link().abort();
    for (auto& p : publishers_) p.abort();
  }
}

void throughput::check(const phase& result) const {
  const uint64_t copies = what_.shared ? 1 : what_.subscribers;
  if (result.delivered == result.published * copies) return;
  throw failure("published " + std::to_string(result.published) + " messages for " +
                std::to_string(copies) + " subscriber(s) each, but " +
                std::to_string(result.delivered) + " arrived");
}

}  // namespace vagus::bench

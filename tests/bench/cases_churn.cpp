#include "cases.hpp"
#include "common.hpp"
#include "throughput.hpp"

#include <atomic>
#include <thread>

namespace vagus::bench {

namespace {

/// Subscribes and unsubscribes at a steady rate on a connection of its own while it lives: each
/// tick SUBs the next subjects and UNSUBs those of the tick before. Late ticks are made up for.
class churn {
public:
  static constexpr double pairs_per_second = 10'000;

  explicit churn(uint16_t port) : link_(connection::client(port)), thread_([this] { work(); }) {}
  ~churn() {
    if (thread_.joinable()) finish();
  }

  /// Stops, and waits until the server has acted on all of it. Returns the pairs per second.
  double finish() {
    stopping_ = true;
    thread_.join();
    return failed_ ? 0 : static_cast<double>(pairs_) / seconds_;
  }

private:
  void work() try {
    const auto begin = steady::now();
    for (auto tick = begin; !stopping_; tick += std::chrono::milliseconds{1}) {
      std::this_thread::sleep_until(tick);
      send_tick();
    }
    link_.flush();
    seconds_ = seconds_between(begin, steady::now());
  } catch (const failure&) {
    failed_ = true;
  }

  void send_tick() {
    constexpr auto pairs = static_cast<uint64_t>(pairs_per_second / 1000);
    std::string text;
    for (uint64_t i = 0; i < pairs; ++i, ++pairs_) {
      const std::string n = std::to_string(pairs_ + pairs);
      text.append("SUB churn.").append(n).append(".x ").append(n).append("\r\n");
      if (pairs_ >= pairs) text.append("UNSUB ").append(std::to_string(pairs_)).append("\r\n");
    }
    link_.send(text);
  }

  connection link_;
  uint64_t pairs_ = 0;
  double seconds_ = 1;
  std::atomic<bool> stopping_ = false, failed_ = false;
  std::thread thread_;
};

/// Plain and disturbed intervals alternate on the same connections, so that drift hits both.
std::vector<sample> measure(const server_process& server, const options& how) {
  throughput load(server, one_to_one(128), how);
  load.run(how.warm_up);
  phase plain, disturbed;
  const auto add = [](phase& sum, const phase& p) {
    sum.delivered += p.delivered;
    sum.seconds += p.seconds;
    sum.server_cpu += p.server_cpu;
    sum.load_cpu += p.load_cpu;
  };
  for (int i = 0; i < 3; ++i) {
    add(plain, load.run(how.seconds / 2));
    churn side(server.port());
    add(disturbed, load.run(how.seconds / 2));
    const double rate = side.finish();
    if (rate < 0.9 * churn::pairs_per_second)
      throw failure("the server took only " + std::to_string(rate) + " SUB/UNSUB pairs/s");
  }
  const sample with = rate_of(disturbed), without = rate_of(plain);
  return {{with.value / without.value, 0, 0}, with};
}

}  // namespace

std::vector<bench_case> churn_cases() {
  return {{"churn",
           "1:1 128 B while another connection does 10,000 SUB and UNSUB a second",
           {{"churn: rate kept", "of plain", {goal::kind::value_at_least, 0.9}},
            {"churn: 1:1-128", "msg/s", {goal::kind::none}}},
           measure}};
}

}  // namespace vagus::bench

#pragma once

#include "cases.hpp"
#include "common.hpp"

#include <cstdint>

namespace vagus::bench {

/// Meters loads: how many operations a second, and what each cost. The time between `stop` and
/// `start` does not count, so that a load may be repeated after some preparation.
class meter {
public:
  /// Starts at once, or waits for `start`.
  explicit meter(const server_process& server, bool at_once = true) : server_(server) {
    if (at_once) start();
  }

  void start() {
    server_cpu_ -= server_.cpu_seconds();
    load_cpu_ -= cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
    begin_ = steady::now();
    running_ = true;
  }

  void stop() {
    elapsed_ += seconds_between(begin_, steady::now());
    server_cpu_ += server_.cpu_seconds();
    load_cpu_ += cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
    running_ = false;
  }

  /// Whether less than `seconds` were metered.
  bool before(double seconds) const {
    return elapsed_ + (running_ ? seconds_between(begin_, steady::now()) : 0) < seconds;
  }

  /// Stops if it runs.
  sample per(uint64_t operations) {
    if (running_) stop();
    const auto count = static_cast<double>(operations);
    return {count / elapsed_, server_cpu_ / count * 1e9, load_cpu_ / count * 1e9};
  }

private:
  const server_process& server_;
  steady::time_point begin_;
  double elapsed_ = 0, server_cpu_ = 0, load_cpu_ = 0;
  bool running_ = false;
};

}  // namespace vagus::bench

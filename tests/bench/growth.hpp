#pragma once

#include "cases.hpp"
#include "common.hpp"

#include <thread>

namespace vagus::bench {

/// Measures what a load costs a server in memory, time and CPU per created thing.
class growth {
public:
  explicit growth(const server_process& server)
      : server_(server),
        resident_(server.resident_bytes()),
        anonymous_(server.anonymous_bytes()),
        server_cpu_(server.cpu_seconds()),
        load_cpu_(cpu_seconds(CLOCK_PROCESS_CPUTIME_ID)),
        begin_(steady::now()) {}

  /// Three samples: resident bytes per thing, things per second, and those of the bytes that are no
  /// pages of files.
  std::vector<sample> per(double count) const {
    const double elapsed = seconds_between(begin_, steady::now());
    const double server_ns = (server_.cpu_seconds() - server_cpu_) / count * 1e9;
    const double load_ns = (cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - load_cpu_) / count * 1e9;
    // A server may still be freeing or mapping what the load left behind.
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
    return {{(server_.resident_bytes() - resident_) / count},
            {count / elapsed, server_ns, load_ns},
            {(server_.anonymous_bytes() - anonymous_) / count}};
  }

private:
  const server_process& server_;
  double resident_, anonymous_, server_cpu_, load_cpu_;
  steady::time_point begin_;
};

}  // namespace vagus::bench

#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <stdexcept>
#include <string>

namespace vagus::bench {

/// A measurement that cannot be trusted (a lost message, a closed connection, a dead server) ends
/// with this; the driver reports it as an error of that case and goes on with the next one.
struct failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using steady = std::chrono::steady_clock;

inline double seconds_between(steady::time_point from, steady::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

/// CPU time in seconds of the clock `id` (a process of our own or another one).
inline double cpu_seconds(clockid_t id) {
  timespec t{};
  if (clock_gettime(id, &t) != 0) return 0;
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

}  // namespace vagus::bench

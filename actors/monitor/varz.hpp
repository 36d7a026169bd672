#pragma once

#include "actors/connection_record.hpp"
#include "actors/monitor/jsz.hpp"

#include <chrono>
#include <map>
#include <string>

namespace vagus {

/// What /varz is made of, beside the settings.
struct varz_facts {
  using time_point = std::chrono::system_clock::time_point;

  time_point start, now;
  int http_port = 0;  ///< the one it listens on
  size_t event_loops = 0;
  double cpu_percent = 0;
  int64_t resident_bytes = 0;
  connections_view_ptr connections;
  uint64_t slow_consumers = 0;
  uint64_t stale_connections = 0;
  uint64_t stalled_clients = 0;
  uint64_t subscriptions = 0;
  jetstream_view_ptr jetstream;              ///< null: off
  std::map<std::string, uint64_t> requests;  ///< answered, by path
};

std::string render_varz(const settings& current, const varz_facts& facts);

/// CPU time and memory of this process.
class process_usage {
public:
  process_usage();

  /// In percent of one core, between the two latest calls that were a second or more apart.
  double cpu_percent();

  static int64_t resident_bytes();

private:
  std::chrono::steady_clock::time_point measured_at_;
  std::chrono::nanoseconds cpu_time_{0};
  double percent_ = 0;
};

}  // namespace vagus

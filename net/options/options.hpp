#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace vagus {

/// Everything that an operator can set, with the defaults of nats-server where it has the option.
/// A plain value: filled once from flags and files (see load.hpp), replaced as a whole on reload.
/// Sizes are bytes. A port of -1 asks for any free port, 0 switches that listener off.
struct options {
  // Identity and listeners
  std::string host = "0.0.0.0";
  int port = 4222;
  std::string server_name;       ///< empty: the server's id
  std::string client_advertise;  ///< host[:port] that INFO announces in place of the listener's
  std::string http_host = "0.0.0.0";  ///< when loaded: as host, unless it is given
  int http_port = 0;
  std::string http_base_path;
  std::vector<std::string> server_tags;
  std::map<std::string, std::string> server_metadata;

  // Authentication (one user, or one token); empty: none asked for
  std::string username;
  std::string password;  ///< plain text, or bcrypt ("$2a$...")
  std::string token;     ///< the same
  std::chrono::nanoseconds auth_timeout = std::chrono::seconds{2};

  // Limits
  int64_t max_connections = 64 * 1024;  ///< negative: none may connect
  int64_t max_subscriptions = 0;        ///< per connection; 0: no limit
  int64_t max_sub_tokens = 0;           ///< tokens in the subject of one SUB; 0: no limit
  int64_t max_control_line = 4096;
  int64_t max_payload = 1024 * 1024;
  int64_t max_pending = 64 * 1024 * 1024;  ///< outgoing bytes of one connection
  int64_t max_closed_clients = 10'000;     ///< remembered for /connz?state=closed
  std::chrono::nanoseconds write_deadline = std::chrono::seconds{10};
  std::chrono::nanoseconds ping_interval = std::chrono::minutes{2};
  int64_t ping_max = 2;
  bool no_fast_producer_stall = false;
  bool no_header_support = false;
  std::chrono::nanoseconds lame_duck_duration = std::chrono::minutes{2};
  std::chrono::nanoseconds lame_duck_grace_period = std::chrono::seconds{10};

  // JetStream
  bool jetstream = true;  ///< a file in nats-server's language switches it on itself, as there
  std::string store_dir = "vagus-data";       ///< relative to the working directory
  int64_t max_memory_store = -1;              ///< 0: none; negative: 75 % of the machine's memory
  int64_t max_file_store = -1;                ///< 0: none; negative: 75 % of store_dir's free space
  std::chrono::nanoseconds sync_interval{0};  ///< 0: every commit is on disk before it counts
  std::string js_domain;
  bool js_strict = true;             ///< requests with unknown fields are refused
  int64_t js_max_ack_pending = 0;    ///< of one consumer; 0: no limit
  int64_t js_max_request_batch = 0;  ///< messages that one pull may ask for; 0: no limit
  std::chrono::nanoseconds js_duplicate_window{0};  ///< of one stream at most; 0: no limit
  int64_t js_default_max_consumers = 1000;  ///< of a stream that does not say; negative: no limit
  int64_t js_request_queue_limit = 10'000;  ///< API requests that wait
  int64_t js_info_queue_limit = 10'000;     ///< for information; when loaded: as the above
  int64_t max_buffered_size = 128 * 1024 * 1024;  ///< bytes that wait to be stored, per stream
  int64_t max_buffered_msgs = 100'000;            ///< messages, likewise

  // Logging
  bool debug = false;
  bool trace = false;
  bool trace_verbose = false;
  bool logtime = true;
  bool logtime_utc = false;
  std::string log_file;
  int64_t log_size_limit = 0;  ///< 0: no rotation
  int64_t log_max_num = 0;     ///< rotated files that are kept; 0: all
  int64_t max_traced_msg_len = 0;
  bool syslog = false;
  std::string remote_syslog;

  // Files
  std::string pid_file;
  std::string ports_file_dir;
  std::string config_file;
  std::string config_digest;  ///< "sha256:<hex>" of config_file; empty without one

  // vagus' own
  int64_t event_loops = 0;  ///< threads that serve connections; 0: one per core
  /// How long such a thread looks for work before it sleeps, where that has been worth it; 0: never
  std::chrono::nanoseconds idle_poll = std::chrono::microseconds{100};

  bool operator==(const options&) const = default;
};

}  // namespace vagus

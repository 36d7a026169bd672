#pragma once

#include "actors/monitor/json_writer.hpp"
#include "actors/monitor/parameters.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace vagus {

/// What JetStream holds and has reserved, and what its API was asked.
struct jetstream_usage {
  uint64_t memory = 0, storage = 0;
  uint64_t reserved_memory = 0, reserved_storage = 0;  ///< max_bytes of the streams
  uint64_t api_total = 0, api_errors = 0;
};

/// One stream. The members that the API has too come as its JSON text: "config" and "state" of
/// STREAM.INFO, and each consumer as CONSUMER.INFO answers, without "type".
struct stream_view {
  std::string name;
  std::string created;  ///< as time_text gives it
  std::string config, state;
  std::string mirror, sources;  ///< JSON too; empty: none
  struct consumer {
    std::string name, info;
  };
  std::vector<consumer> consumers;
  std::vector<consumer> direct_consumers;  ///< those of mirrors and sources
};

struct jetstream_account_view {
  std::string name;
  jetstream_usage usage;
  std::vector<stream_view> streams;  ///< any order
};

/// JetStream as monitoring shows it, at one moment. An immutable value once it is shared.
struct jetstream_view {
  bool enabled = false;  ///< false: nothing else counts
  std::string problem;   ///< why it does not work although it is configured; empty: it does

  // What it was started with
  int64_t max_memory = 0, max_storage = 0;
  std::string store_dir;
  std::chrono::nanoseconds sync_interval{0};  ///< 0: always
  bool strict = true;
  std::string domain;
  int64_t max_request_batch = 0, max_ack_pending = 0;
  std::chrono::nanoseconds max_duplicate_window{0};
  int64_t default_max_consumers = 0;

  // What there is
  int api_level = 0;
  jetstream_usage usage;
  uint64_t streams = 0, consumers = 0, messages = 0, bytes = 0;
  std::vector<jetstream_account_view> accounts;
};
using jetstream_view_ptr = std::shared_ptr<const jetstream_view>;

/// What /jsz is asked for.
struct jsz_options {
  std::string account;
  bool accounts = false;
  bool streams = false;
  bool consumers = false;
  bool direct_consumers = false;
  bool config = false;
  bool raft = false;
  size_t offset = 0;
  size_t limit = 1024;

  /// Errors are in `from`.
  static jsz_options read(parameters& from);
};

std::string render_jsz(const jsz_options& wanted, const jetstream_view& view,
                       const std::string& server_id, std::chrono::system_clock::time_point now);

/// The value of "jetstream" in /varz; null: it is off.
void render_varz_jetstream(json_writer& out, const jetstream_view* view);

}  // namespace vagus

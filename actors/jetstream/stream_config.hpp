#pragma once

#include "storage/store_types.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

enum class retention_policy : uint8_t { limits, interest, workqueue };
enum class discard_policy : uint8_t { old_msgs, new_msgs };  ///< "old", "new"
enum class storage_type : uint8_t { unset, file, memory };   ///< unset becomes file
enum class compression_type : uint8_t { none, s2 };
enum class persist_mode_type : uint8_t { synced, async };  ///< "default", "async"

struct placement {
  std::string cluster;
  std::vector<std::string> tags;
  std::string preferred;

  bool operator==(const placement&) const = default;
};

struct subject_transform_config {
  std::string src;
  std::string dest;

  bool operator==(const subject_transform_config&) const = default;
};

struct republish_config {
  std::string src;
  std::string dest;
  bool headers_only = false;

  bool operator==(const republish_config&) const = default;
};

/// The JetStream of another account or domain.
struct external_stream {
  std::string api;
  std::string deliver;

  bool operator==(const external_stream&) const = default;
};

struct stream_consumer_source {
  std::string name;
  std::string deliver_subject;

  bool operator==(const stream_consumer_source&) const = default;
};

/// Where a mirror or one of the sources of a stream gets its messages from.
struct stream_source {
  std::string name;
  uint64_t opt_start_seq = 0;
  std::optional<int64_t> opt_start_time;  ///< nanoseconds since 1970
  std::string filter_subject;
  std::vector<subject_transform_config> subject_transforms;
  std::optional<external_stream> external;
  std::optional<stream_consumer_source> consumer;

  bool operator==(const stream_source&) const = default;
};

/// Defaults and bounds for the consumers of a stream. 0 is none.
struct consumer_limits {
  int64_t inactive_threshold = 0;
  int64_t max_ack_pending = 0;

  bool operator==(const consumer_limits&) const = default;
};

/// A stream's configuration with the names of the JSON API. Durations are nanoseconds. What a
/// client leaves out is as here; `check_stream_config` puts the defaults in its place.
struct stream_config {
  std::string name;
  std::string description;
  std::vector<std::string> subjects;
  retention_policy retention = retention_policy::limits;
  int64_t max_consumers = 0;
  int64_t max_msgs = 0;
  int64_t max_bytes = 0;
  int64_t max_age = 0;
  int64_t max_msgs_per_subject = 0;
  int32_t max_msg_size = 0;
  discard_policy discard = discard_policy::old_msgs;
  storage_type storage = storage_type::unset;
  int64_t num_replicas = 0;
  bool no_ack = false;
  int64_t duplicate_window = 0;
  std::optional<vagus::placement> placement;
  std::optional<stream_source> mirror;
  std::vector<stream_source> sources;
  compression_type compression = compression_type::none;
  uint64_t first_seq = 0;
  std::optional<subject_transform_config> subject_transform;
  std::optional<republish_config> republish;
  bool allow_direct = false;
  bool mirror_direct = false;
  bool discard_new_per_subject = false;
  bool sealed = false;
  bool deny_delete = false;
  bool deny_purge = false;
  bool allow_rollup_hdrs = false;
  vagus::consumer_limits consumer_limits;
  bool allow_msg_ttl = false;
  int64_t subject_delete_marker_ttl = 0;
  // Known, so that a client that asks for one is told that it is not there.
  bool allow_msg_counter = false;
  bool allow_atomic = false;
  bool allow_msg_schedules = false;
  bool allow_batched = false;
  persist_mode_type persist_mode = persist_mode_type::synced;
  /// After `check_stream_config` with `_nats.req.level`; the server's own version and level are
  /// only in answers.
  std::map<std::string, std::string> metadata;

  bool operator==(const stream_config&) const = default;
};

/// What the store keeps to.
store_limits limits_of(const stream_config& config);

/// The configuration as in the API's answers and on the disk: members in nats-server's order.
/// `for_answer` adds `_nats.ver` and `_nats.level` to the metadata.
std::string to_json(const stream_config& config, bool for_answer = false);

}  // namespace vagus

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

enum class deliver_policy : uint8_t {
  all,
  last,
  new_msgs,  ///< "new"
  by_start_sequence,
  by_start_time,
  last_per_subject
};
/// `flow_control` is known, so that a client that asks for it is told that it is not there.
enum class ack_policy : uint8_t { none, all, explicit_acks, flow_control };
enum class replay_policy : uint8_t { instant, original };
enum class priority_policy : uint8_t { none, overflow, pinned_client, prioritized };

/// A consumer's configuration with the names of the JSON API. Durations are nanoseconds, times
/// nanoseconds since 1970. What a client leaves out is as here; `check_consumer_config` puts the
/// defaults in its place.
struct consumer_config {
  std::string durable_name;
  std::string name;
  std::string description;
  vagus::deliver_policy deliver_policy = vagus::deliver_policy::all;
  uint64_t opt_start_seq = 0;
  std::optional<int64_t> opt_start_time;
  vagus::ack_policy ack_policy = vagus::ack_policy::none;
  int64_t ack_wait = 0;
  int64_t max_deliver = 0;
  std::vector<int64_t> backoff;
  std::string filter_subject;
  std::vector<std::string> filter_subjects;
  vagus::replay_policy replay_policy = vagus::replay_policy::instant;
  uint64_t rate_limit_bps = 0;
  std::string sample_freq;
  int64_t max_waiting = 0;
  int64_t max_ack_pending = 0;
  bool flow_control = false;
  bool headers_only = false;
  int64_t max_batch = 0;
  int64_t max_expires = 0;
  int64_t max_bytes = 0;
  std::string deliver_subject;
  std::string deliver_group;
  int64_t idle_heartbeat = 0;
  int64_t inactive_threshold = 0;
  int64_t num_replicas = 0;
  bool mem_storage = false;
  bool direct = false;
  bool sourcing = false;  ///< known, so that it can be refused
  /// After `check_consumer_config` with `_nats.req.level`; the server's own version and level are
  /// only in answers.
  std::map<std::string, std::string> metadata;
  std::optional<int64_t> pause_until;
  std::vector<std::string> priority_groups;
  vagus::priority_policy priority_policy = vagus::priority_policy::none;
  int64_t priority_timeout = 0;

  bool operator==(const consumer_config&) const = default;

  bool push() const { return !deliver_subject.empty(); }
  bool durable() const { return !durable_name.empty(); }
  /// `filter_subject` or `filter_subjects`; empty where the consumer takes everything.
  std::vector<std::string> filters() const;
  /// Whether the rows of its state are all that there has to be of it while nobody uses it: it is
  /// stored, has no times to keep, and delivers only to who asks.
  bool may_rest() const;
  /// Whether deliveries rest at `now`.
  bool paused(int64_t now_ns) const { return pause_until && now_ns < *pause_until; }
  /// How many percent of the acknowledgements are reported; 0 is none.
  int sampled_percent() const;
};

/// The configuration as in the API's answers and on the disk: members in nats-server's order.
/// `for_answer` adds `_nats.ver` and `_nats.level` to the metadata.
std::string to_json(const consumer_config& config, bool for_answer = false);

}  // namespace vagus

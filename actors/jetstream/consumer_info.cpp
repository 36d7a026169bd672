#include "actors/jetstream/consumer_info.hpp"

#include "actors/jetstream/json_output.hpp"
#include "actors/jetstream/rfc3339.hpp"

namespace vagus {

namespace {

std::optional<int64_t> time_or_none(int64_t time_ns) {
  return time_ns == 0 ? std::nullopt : std::optional{time_ns};
}

void put_sequences(json_output& json, std::string_view name, const sequence_pair& at,
                   int64_t last_active_ns) {
  json.key(name);
  json.begin('{');
  json("consumer_seq", at.consumer, when::always);
  json("stream_seq", at.stream, when::always);
  json.time("last_active", time_or_none(last_active_ns), when::not_empty);
  json.end('}');
}

/// Only one group is ever served.
void put_group(json_output& json, const consumer_info& info) {
  if (info.config->priority_groups.empty()) return;
  json.key("priority_groups");
  json.begin('[');
  json.begin('{');
  json("group", info.config->priority_groups[0], when::always);
  json("pinned_client_id", info.pin_id, when::not_empty);
  json.time("pinned_ts", time_or_none(info.pinned_ns), when::always);
  json.end('}');
  json.end(']');
}

int64_t pause_remaining(const consumer_config& config, int64_t now_ns) {
  return config.paused(now_ns) ? *config.pause_until - now_ns : 0;
}

}  // namespace

std::string info_members(const consumer_info& info) {
  std::string out;
  json_output json{out};
  json("stream_name", info.stream_name, when::always);
  json("name", info.name, when::always);
  json.time("created", info.created_ns, when::always);
  json.key("config");
  json.raw(to_json(*info.config, info.server_metadata));
  put_sequences(json, "delivered", info.delivered, info.delivered_ns);
  put_sequences(json, "ack_floor", info.ack_floor, info.acked_ns);
  json("num_ack_pending", info.num_ack_pending, when::always);
  json("num_redelivered", info.num_redelivered, when::always);
  json("num_waiting", info.num_waiting, when::always);
  json("num_pending", info.num_pending, when::always);
  json("push_bound", info.push_bound, when::not_empty);
  json("paused", info.config->paused(info.now_ns), when::not_empty);
  json.duration("pause_remaining", pause_remaining(*info.config, info.now_ns), when::not_empty);
  json.time("ts", info.now_ns, when::always);
  put_group(json, info);
  return out;
}

std::string pause_members(const consumer_config& config, int64_t now_ns) {
  std::string out;
  json_output json{out};
  json("paused", config.paused(now_ns), when::always);
  json.time("pause_until", config.pause_until, when::always);
  json.duration("pause_remaining", pause_remaining(config, now_ns), when::not_empty);
  return out;
}

}  // namespace vagus

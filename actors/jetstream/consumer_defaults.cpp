#include "actors/jetstream/consumer_defaults.hpp"

#include <fmt/format.h>

namespace vagus {

namespace {

constexpr int64_t default_max_waiting = 512;
constexpr int64_t default_max_ack_pending = 1000;
constexpr int64_t default_ack_wait = 30'000'000'000;
constexpr int64_t default_priority_timeout = 120'000'000'000;

std::optional<api_error> not_as_asked(std::string_view text) {
  return make_error(js_errc::pedantic, text);
}

/// Brings what lies below `least` up to it.
std::optional<api_error> raise_to_least(consumer_config& c, bool pedantic) {
  struct part {
    int64_t& value;
    std::string_view name;
    int64_t least;
  };
  if (c.max_deliver == 0) c.max_deliver = -1;
  const part parts[] = {
      {c.max_deliver, "max_deliver", -1},          {c.max_waiting, "max_waiting", 0},
      {c.max_ack_pending, "max_ack_pending", -1},  {c.max_batch, "max_batch", 0},
      {c.max_expires, "max_expires", 0},           {c.max_bytes, "max_bytes", 0},
      {c.idle_heartbeat, "idle_heartbeat", 0},     {c.inactive_threshold, "inactive_threshold", 0},
      {c.priority_timeout, "priority_timeout", 0},
  };
  for (const auto& [value, name, least] : parts) {
    if (value >= least) continue;
    if (pedantic)
      return not_as_asked(
          fmt::format("{} must {}", name, least == 0 ? "not be negative" : "be set to -1"));
    value = least;
  }
  return std::nullopt;
}

}  // namespace

std::optional<api_error> set_consumer_defaults(consumer_config& c, const stream_config& stream,
                                               const consumer_bounds& bounds, bool pedantic) {
  if (auto p = raise_to_least(c, pedantic)) return p;
  if (!c.push() && c.max_waiting == 0) c.max_waiting = default_max_waiting;
  if (c.ack_wait == 0 && c.ack_policy != ack_policy::none) c.ack_wait = default_ack_wait;
  if (!c.backoff.empty()) {
    if (pedantic && c.ack_wait != c.backoff[0])
      return not_as_asked("first backoff value has to equal batch AckWait");
    c.ack_wait = c.backoff[0];
  }
  const auto& limits = stream.consumer_limits;
  if (c.max_ack_pending == 0) {
    if (pedantic && limits.max_ack_pending > 0)
      return not_as_asked("max_ack_pending must be set if it's configured in stream limits");
    c.max_ack_pending = limits.max_ack_pending;
  }
  if (c.inactive_threshold == 0) {
    if (pedantic && limits.inactive_threshold > 0)
      return not_as_asked("inactive_threshold must be set if it's configured in stream limits");
    c.inactive_threshold = limits.inactive_threshold;
  }
  if (c.max_ack_pending == 0 && c.ack_policy != ack_policy::none) {
    c.max_ack_pending = default_max_ack_pending;
    for (int64_t most : {bounds.max_ack_pending, bounds.account_max_ack_pending})
      if (most > 0 && most < c.max_ack_pending) c.max_ack_pending = most;
  }
  if (!c.push() && c.max_batch == 0 && bounds.max_request_batch > 0) {
    if (pedantic)
      return not_as_asked("max_request_batch must be set if it's JetStream limits are set");
    c.max_batch = bounds.max_request_batch;
  }
  if (c.priority_policy == priority_policy::pinned_client && c.priority_timeout == 0)
    c.priority_timeout = default_priority_timeout;
  return std::nullopt;
}

}  // namespace vagus

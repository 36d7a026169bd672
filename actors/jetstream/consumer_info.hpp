#pragma once

#include "actors/jetstream/consumer_config.hpp"
#include "actors/jetstream/ledger_state.hpp"

namespace vagus {

struct consumer_info {
  std::string_view stream_name;
  std::string_view name;
  const consumer_config* config = nullptr;
  int64_t created_ns = 0;
  sequence_pair delivered;
  int64_t delivered_ns = 0;  ///< 0 is never
  sequence_pair ack_floor;
  int64_t acked_ns = 0;
  uint64_t num_ack_pending = 0;
  uint64_t num_redelivered = 0;
  uint64_t num_waiting = 0;
  uint64_t num_pending = 0;
  bool push_bound = false;  ///< somebody hears the deliver subject
  std::string_view pin_id;  ///< of the first priority group
  int64_t pinned_ns = 0;    ///< 0 is nobody
  int64_t now_ns = 0;
  bool server_metadata = true;  ///< not in CONSUMER.LIST
};

/// The members of a consumer's info without the braces, since CONSUMER.CREATE and CONSUMER.INFO
/// have theirs around them: `"stream_name":..,"name":..,...`. An element of CONSUMER.LIST is these
/// in braces.
std::string info_members(const consumer_info& info);

/// What CONSUMER.PAUSE answers behind the type: `"paused":..,"pause_until":..`.
std::string pause_members(const consumer_config& config, int64_t now_ns);

}  // namespace vagus

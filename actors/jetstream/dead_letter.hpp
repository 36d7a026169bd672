#pragma once

#include "actors/jetstream/api_error.hpp"
#include "actors/jetstream/consumer_config.hpp"
#include "actors/jetstream/stream_config.hpp"
#include "storage/store_types.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vagus {

// What nats-server does not have: a consumer whose metadata names a `vagus.dead_letter_subject`
// publishes there, once, each message that it gives up: delivered `max_deliver` times, or
// terminated by a client (+TERM). To other servers and to clients the metadata is just that.

constexpr std::string_view dead_letter_key = "vagus.dead_letter_subject";

/// Empty: the consumer has none.
std::string_view dead_letter_subject(const consumer_config& config);

/// A dead letter goes to one subject, and not back to where it came from.
std::optional<api_error> check_dead_letter(const consumer_config& config,
                                           const stream_config& stream);

struct dead_letter {
  std::string_view stream;
  std::string_view consumer;
  std::string_view cause;   ///< `max_deliver` or `terminated`
  std::string_view reason;  ///< what the client said with +TERM
  uint64_t deliveries = 0;
};

/// The headers of the dead letter: what happened, a `Nats-Msg-Id` by which a stream that stores it
/// knows it again should a crash make it go out twice, and the message's own headers but for those
/// that say how to store it.
std::string dead_letter_headers(const dead_letter& of, const stored_message& m);

}  // namespace vagus

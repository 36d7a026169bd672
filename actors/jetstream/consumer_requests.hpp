#pragma once

#include "actors/jetstream/api_error.hpp"
#include "actors/jetstream/consumer_config.hpp"

namespace vagus {

enum class consumer_action : uint8_t { create_or_update, update, create };

struct consumer_request {  ///< CONSUMER.CREATE and CONSUMER.DURABLE.CREATE
  std::string stream_name;
  consumer_config config;
  consumer_action action = consumer_action::create_or_update;
  bool pedantic = false;
};

struct consumers_request {  ///< CONSUMER.NAMES and CONSUMER.LIST
  int64_t offset = 0;
};

struct consumer_pause_request {  ///< CONSUMER.PAUSE
  std::optional<int64_t> pause_until;
};

struct consumer_unpin_request {  ///< CONSUMER.UNPIN
  std::string group;
};

struct consumer_reset_request {  ///< CONSUMER.RESET
  uint64_t seq = 0;
};

/// CONSUMER.NAMES, CONSUMER.LIST and CONSUMER.PAUSE look at a body only if it is an object or an
/// array; then it goes to `read_json`.
bool is_json_body(std::string_view body);

/// CONSUMER.UNPIN always looks, passes over unknown members and wants a group's name.
std::optional<api_error> read_unpin_request(std::string_view body, consumer_unpin_request& to);

/// CONSUMER.RESET looks at a body unless it is empty, and passes over unknown members.
std::optional<api_error> read_reset_request(std::string_view body, consumer_reset_request& to);

/// Whether a priority group may be named so.
bool valid_group_name(std::string_view name);

/// The body of CONSUMER.MSG.NEXT, and of what follows `+NXT`.
struct next_request {
  int64_t expires = 0;
  int64_t batch = 0;
  int64_t max_bytes = 0;
  bool no_wait = false;
  int64_t idle_heartbeat = 0;
  std::string group;
  int64_t min_pending = 0;
  int64_t min_ack_pending = 0;
  std::string id;
  int64_t priority = 0;
  bool formal = false;  ///< was JSON: only such a request is asked for its priority group
};

/// Reads a body: empty is a batch of one, an integer a batch, JSON all members; any other text is a
/// batch of one. What is returned is why it cannot be, to go behind `400 Bad Request - `; empty if
/// it can.
std::string read_next_request(std::string_view body, next_request& to);

enum class ack_kind : uint8_t { ack, nak, in_progress, next, term, unknown };

/// The payload of an acknowledgement.
struct ack_body {
  ack_kind kind = ack_kind::unknown;
  std::optional<int64_t> delay_ns;  ///< of a nak: when to deliver again, if not at once
  std::string_view bad_delay;       ///< of a nak: a delay that was none, for the log
  std::string_view next;            ///< the body of the request in +NXT
  std::string_view reason;          ///< of +TERM
};

/// Views into `payload`.
ack_body read_ack_body(std::string_view payload);

/// What a delivery's reply subject says, in nats-server's old form and the newer one.
struct ack_subject {
  std::string_view stream;
  std::string_view consumer;
  uint64_t deliveries = 0;
  uint64_t stream_seq = 0;
  uint64_t consumer_seq = 0;
  int64_t time_ns = 0;
  uint64_t pending = 0;
};

/// Nothing if `subject` is no `$JS.ACK.` subject, or the sequence in the stream no number. As by
/// nats-server, the others may be anything: the number of deliveries and the sequence in the
/// consumer are the largest number then, or if they are 0.
std::optional<ack_subject> read_ack_subject(std::string_view subject);

/// The subject that consumers are subscribed to, for one of version 2 that names domain and account
/// (ADR-15): `$JS.ACK.<domain>.<account hash>.<stream>...` or `$JS.FC.<domain>...`.
/// @pre `subject` has all the tokens that such a subject has
std::string short_consumer_subject(std::string_view subject);

/// A duration as Go's `time.ParseDuration` takes it: `5s`, `1m30s`, `-1.5h`.
std::optional<int64_t> parse_go_duration(std::string_view text);

}  // namespace vagus

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vagus {

/// What a publisher asks of a stream in the headers of a message (ADR-4, ADR-22 and others). Views
/// into the header block. Names are compared as they are written, as nats-server does.
struct publish_headers {
  enum class rollup_kind : uint8_t { none, subject, all, unknown };

  std::string_view msg_id;                    ///< Nats-Msg-Id
  std::string_view expected_stream;           ///< Nats-Expected-Stream
  std::string_view expected_last_msg_id;      ///< Nats-Expected-Last-Msg-Id
  std::string_view expected_subject;          ///< Nats-Expected-Last-Subject-Sequence-Subject
  std::string_view ttl;                       ///< Nats-TTL, not empty if it is there with a value
  std::string_view required_api_level;        ///< Nats-Required-Api-Level
  std::optional<uint64_t> expected_last_seq;  ///< Nats-Expected-Last-Sequence
  std::optional<uint64_t> expected_last_subject_seq;  ///< Nats-Expected-Last-Subject-Sequence
  rollup_kind rollup = rollup_kind::none;             ///< Nats-Rollup
  bool stream_source = false;                         ///< Nats-Stream-Source
  bool increment = false;                             ///< Nats-Incr
  bool schedule = false;                              ///< Nats-Schedule
  bool batch = false;                                 ///< Nats-Batch-Id
};

/// Reads a header block ("NATS/1.0...\r\n" and so on). Any bytes are safe to read; the first of
/// several headers with a name counts.
publish_headers read_publish_headers(std::string_view block);

/// The value of the first header with that name; empty if there is none.
std::string_view find_header(std::string_view block, std::string_view name);

/// A Nats-TTL: whole seconds, a duration of at least a second as Go writes it, or "never" (-1).
/// None if it is none of them, or 0; `ttl_none` for an empty text.
std::optional<int64_t> parse_message_ttl(std::string_view text);

}  // namespace vagus

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vagus {

/// `NATS/1.0 <text>` as a block of headers.
std::string status_headers(std::string_view text);

/// With what the request still asked for.
std::string status_headers(std::string_view text, int64_t pending_messages, int64_t pending_bytes);

/// `100 Idle Heartbeat` with the last deliveries, and where flow control has stopped a push
/// consumer, the subject to answer to.
std::string heartbeat_headers(uint64_t last_consumer_seq, uint64_t last_stream_seq,
                              std::string_view stalled = {});

}  // namespace vagus

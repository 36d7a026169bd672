#include "actors/jetstream/pull_status.hpp"

#include <fmt/format.h>

namespace vagus {

std::string status_headers(std::string_view text) {
  return fmt::format("NATS/1.0 {}\r\n\r\n", text);
}

std::string status_headers(std::string_view text, int64_t pending_messages, int64_t pending_bytes) {
  return fmt::format("NATS/1.0 {}\r\nNats-Pending-Messages: {}\r\nNats-Pending-Bytes: {}\r\n\r\n",
                     text, pending_messages, pending_bytes);
}

std::string heartbeat_headers(uint64_t last_consumer_seq, uint64_t last_stream_seq,
                              std::string_view stalled) {
  auto headers = fmt::format(
      "NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: {}\r\nNats-Last-Stream: {}\r\n",
      last_consumer_seq, last_stream_seq);
  if (!stalled.empty()) headers += fmt::format("Nats-Consumer-Stalled: {}\r\n", stalled);
  return headers += "\r\n";
}

}  // namespace vagus

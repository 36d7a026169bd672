#include "storage/delete_marker.hpp"

namespace vagus {

namespace {

/// Whole seconds, in the notation of Go: "1h0m0s", "1m30s", "5s".
std::string duration_text(int64_t duration_ns) {
  auto seconds = duration_ns / 1'000'000'000;
  std::string text;
  if (seconds >= 3600) text += std::to_string(seconds / 3600) + "h";
  if (seconds >= 60) text += std::to_string(seconds / 60 % 60) + "m";
  return text + std::to_string(seconds % 60) + "s";
}

}  // namespace

std::string delete_marker_headers(int64_t ttl_ns) {
  return "NATS/1.0\r\nNats-Marker-Reason: MaxAge\r\nNats-TTL: " + duration_text(ttl_ns) +
         "\r\nNats-Rollup: sub\r\n\r\n";
}

bool is_delete_marker(std::string_view headers) {
  return headers.find("\r\nNats-Marker-Reason:") != std::string_view::npos;
}

}  // namespace vagus

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vagus {

/// The headers of the message that marks a subject whose last message expired, as nats-server
/// writes them.
std::string delete_marker_headers(int64_t ttl_ns);

/// True for a marker of whatever reason, a client's own among them: no marker follows on one.
bool is_delete_marker(std::string_view headers);

}  // namespace vagus

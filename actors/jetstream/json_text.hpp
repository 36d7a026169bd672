#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vagus {

/// `text` in quotes with the escapes of Go's encoding/json: `<`, `>` and `&` too, since clients
/// may compare answers byte by byte. Bytes that are no UTF-8 become U+FFFD.
std::string go_quoted(std::string_view text);

/// As Go's `%q` prints text in error messages.
std::string go_printed(std::string_view text);

/// The first character of `text` in single quotes, as Go's `%q` prints it.
std::string printed_character(std::string_view text);

/// A duration as Go prints it: `2m0s`, `1.5s`, `100ms`.
std::string go_duration(int64_t duration_ns);

}  // namespace vagus

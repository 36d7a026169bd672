#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vagus {

/// Why a text is no number; `none` when it is one.
enum class number_error : uint8_t {
  none,
  malformed,
  out_of_range,
};

struct parsed_integer {
  int64_t value = 0;
  number_error error = number_error::none;
};

/// An integer of a configuration file: optional "-", digits, optional suffix in any case.
/// "k" is 1000, "kb", "ki" and "kib" are 1024, and so on for m, g, t, p and e.
parsed_integer parse_size(std::string_view text);

/// An integer of the command line, as Go reads it: decimal, 0x, 0o, 0b or 0 as prefix, "_" between
/// digits.
parsed_integer parse_go_integer(std::string_view text);

/// "1", "t", "true", "0", "f", "false" and the capitalised forms that Go's flags take.
std::optional<bool> parse_go_bool(std::string_view text);

/// A duration as Go writes it: "10s", "1h30m", "1.5s", "-2ms", "0". Units: ns us ms s m h.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// The form that parse_duration reads back: "2m0s", "1.5s", "100ms".
std::string format_duration(std::chrono::nanoseconds duration);

/// As nats-server writes sizes: "512 B", "2.00 KB", "17.66 GB".
std::string friendly_bytes(uint64_t bytes);

}  // namespace vagus

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vagus {

/// The time that Go prints as `0001-01-01T00:00:00Z` and that stands for "none" in JSON.
constexpr int64_t zero_time = INT64_MIN;

/// Nanoseconds since 1970 as RFC 3339 in UTC, the fraction without trailing zeros.
std::string rfc3339(int64_t time_ns);

struct parsed_time {
  int64_t time_ns = 0;
  std::string error;  ///< if not empty, there is no time; in the words of Go's `time` package
};

/// A time before 1678 is `zero_time`, and one after 2261 the last that there is.
parsed_time parse_rfc3339(std::string_view text);

}  // namespace vagus

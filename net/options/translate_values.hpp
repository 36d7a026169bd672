#pragma once

#include "net/options/translate.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

// Reading one value as one type. Each returns nothing, and has reported it to `work`, when the
// value does not fit.

namespace vagus {

std::optional<bool> read_bool(translation& work, const conf_value& value);
std::optional<std::string> read_string(translation& work, const conf_value& value);

/// Within [lowest, highest].
std::optional<int64_t> read_integer(translation& work, const conf_value& value, int64_t lowest,
                                    int64_t highest);

/// An integer, or a string: in nats-server's language digits and K, M, G or T, powers of 1024
/// ("" is 0); in CAF's as everywhere in it.
std::optional<int64_t> read_storage_size(translation& work, const conf_value& value);

/// "10s" and the like.
std::optional<std::chrono::nanoseconds> read_duration(translation& work, const conf_value& value);

/// The same, or a bare number, which means seconds and earns a warning.
std::optional<std::chrono::nanoseconds> read_duration_or_seconds(translation& work,
                                                                 const conf_value& value);

/// A string, or an array of strings.
std::optional<std::vector<std::string>> read_strings(translation& work, const conf_value& value);

struct listen_address {
  std::string host;  ///< may be empty
  int port = 0;
};

/// A port, or "host:port" with the brackets of IPv6 taken off.
std::optional<listen_address> read_listen(translation& work, const conf_value& value);

/// Splits "host:port", "[v6]:port" or ":port". Nothing if it is none of these.
std::optional<std::pair<std::string, std::string>> split_host_port(std::string_view text);

}  // namespace vagus

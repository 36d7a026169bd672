#include "net/options/translate_values.hpp"

#include "net/options/units.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace vagus {

namespace {

void wrong_kind(translation& work, const conf_value& value, std::string_view wanted) {
  work.error(value, fmt::format("\"{}\" must be {}, not {}", work.key, wanted, kind_name(value)));
}

}  // namespace

std::optional<bool> read_bool(translation& work, const conf_value& value) {
  if (auto* x = std::get_if<bool>(&value.data)) return *x;
  wrong_kind(work, value, "a boolean");
  return std::nullopt;
}

std::optional<std::string> read_string(translation& work, const conf_value& value) {
  if (auto* x = std::get_if<std::string>(&value.data)) return *x;
  wrong_kind(work, value, "a string");
  return std::nullopt;
}

std::optional<int64_t> read_integer(translation& work, const conf_value& value, int64_t lowest,
                                    int64_t highest) {
  std::optional<int64_t> result;
  if (auto* x = std::get_if<int64_t>(&value.data)) result = *x;
  auto* text = std::get_if<std::string>(&value.data);
  if (text && work.language == conf_language::caf) {
    auto parsed = parse_size(*text);
    if (parsed.error == number_error::none) result = parsed.value;
  }
  if (!result) {
    wrong_kind(work, value, "an integer");
    return std::nullopt;
  }
  if (*result < lowest || *result > highest) {
    auto what = *result < lowest ? "less than" : "more than";
    work.error(value, fmt::format("\"{}\" is {}, {} {}", work.key, *result, what,
                                  *result < lowest ? lowest : highest));
    return std::nullopt;
  }
  return result;
}

std::optional<int64_t> read_storage_size(translation& work, const conf_value& value) {
  auto* text = std::get_if<std::string>(&value.data);
  if (!text || work.language == conf_language::caf)
    return read_integer(work, value, -std::numeric_limits<int64_t>::max(),
                        std::numeric_limits<int64_t>::max());
  if (text->empty()) return 0;
  constexpr std::string_view suffixes = "KMGT";
  auto suffix = suffixes.find(text->back());
  int64_t number = 0;
  auto end = text->data() + text->size() - 1;
  auto [rest, error] = std::from_chars(text->data(), end, number);
  if (suffix != suffixes.npos && error == std::errc{} && rest == end) {
    auto factor = int64_t{1} << (10 * (suffix + 1));
    auto most = std::numeric_limits<int64_t>::max() / factor;
    if (number >= -most && number <= most) return number * factor;
  }
  work.error(value, fmt::format("\"{}\": \"{}\" is no size: a number, or a string such as \"10G\" "
                                "that ends in K, M, G or T",
                                work.key, *text));
  return std::nullopt;
}

std::optional<std::chrono::nanoseconds> read_duration(translation& work, const conf_value& value) {
  auto text = std::get_if<std::string>(&value.data);
  if (!text) {
    wrong_kind(work, value, "a duration such as \"10s\"");
    return std::nullopt;
  }
  auto parsed = parse_duration(*text);
  if (parsed && parsed->count() >= 0) return parsed;
  auto what = parsed ? "is negative" : "is no duration such as \"10s\" or \"1h30m\"";
  work.error(value, fmt::format("\"{}\": \"{}\" {}", work.key, *text, what));
  return std::nullopt;
}

std::optional<std::chrono::nanoseconds> read_duration_or_seconds(translation& work,
                                                                 const conf_value& value) {
  if (!std::holds_alternative<int64_t>(value.data)) return read_duration(work, value);
  auto seconds = read_integer(work, value, 0, 1'000'000'000);
  if (!seconds) return std::nullopt;
  work.warn(value, fmt::format("\"{}\" should be a duration: \"{}s\"", work.key, *seconds));
  return std::chrono::seconds{*seconds};
}

std::optional<std::vector<std::string>> read_strings(translation& work, const conf_value& value) {
  if (auto* one = std::get_if<std::string>(&value.data)) return std::vector{*one};
  std::vector<std::string> result;
  auto* array = std::get_if<conf_array>(&value.data);
  if (!array) {
    wrong_kind(work, value, "a string or an array of strings");
    return std::nullopt;
  }
  for (auto& element : *array) {
    auto text = read_string(work, element);
    if (!text) return std::nullopt;
    result.push_back(std::move(*text));
  }
  return result;
}

std::optional<std::pair<std::string, std::string>> split_host_port(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  auto host = text.substr(0, colon);
  auto port = text.substr(colon + 1);
  bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed)
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != host.npos)
    return std::nullopt;
  if (host.find_first_of("[]") != host.npos || port.find_first_of("[]") != port.npos)
    return std::nullopt;
  return std::pair{std::string{host}, std::string{port}};
}

std::optional<listen_address> read_listen(translation& work, const conf_value& value) {
  listen_address result;
  auto* text = std::get_if<std::string>(&value.data);
  if (!text) {
    if (!std::holds_alternative<int64_t>(value.data)) {
      wrong_kind(work, value, "a port or \"host:port\"");
      return std::nullopt;
    }
    auto port = read_integer(work, value, -1, 65535);
    if (port) result.port = static_cast<int>(*port);
    return port ? std::optional{result} : std::nullopt;
  }
  auto parts = split_host_port(*text);
  if (!parts) {
    work.error(value, fmt::format("\"{}\": \"{}\" is no \"host:port\"", work.key, *text));
    return std::nullopt;
  }
  auto& [host, port] = *parts;
  auto end = port.data() + port.size();
  auto [rest, error] = std::from_chars(port.data(), end, result.port);
  if (error != std::errc{} || rest != end || result.port < -1 || result.port > 65535) {
    work.error(value, fmt::format("\"{}\": \"{}\" is no port", work.key, port));
    return std::nullopt;
  }
  result.host = host;
  return result;
}

}  // namespace vagus

#include "actors/monitor/parameters.hpp"

#include "net/protocol/redact.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace vagus {

namespace {

/// Undoes %XX, and '+' for a blank in a query; nothing if a % is not followed by two digits.
std::optional<std::string> unescape(std::string_view text, bool plus_is_blank) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_blank) c = ' ';
    if (c == '%') {
      unsigned char code = 0;
      const char* digits = text.data() + i + 1;
      if (i + 2 >= text.size() || std::from_chars(digits, digits + 2, code, 16).ptr != digits + 2)
        return std::nullopt;
      c = static_cast<char>(code);
      i += 2;
    }
    out += c;
  }
  return out;
}

}  // namespace

parameters::parameters(std::string_view query) {
  while (!query.empty()) {
    auto piece = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(piece.size() + 1, query.size()));
    if (piece.empty() || piece.find(';') != std::string_view::npos) continue;
    auto equals = std::min(piece.find('='), piece.size());
    auto name = unescape(piece.substr(0, equals), true);
    auto value = unescape(piece.substr(std::min(equals + 1, piece.size())), true);
    if (name && value) all_.emplace_back(std::move(*name), std::move(*value));
  }
}

std::string parameters::text(std::string_view name) const {
  auto it = std::find_if(all_.begin(), all_.end(), [&](const auto& p) { return p.first == name; });
  return it == all_.end() ? std::string{} : it->second;
}

void parameters::fail(std::string what) {
  if (error_.empty()) error_ = std::move(what);
}

bool parameters::flag(std::string_view name) {
  static constexpr std::array<std::string_view, 6> yes{"1", "t", "T", "TRUE", "true", "True"};
  static constexpr std::array<std::string_view, 6> no{"0", "f", "F", "FALSE", "false", "False"};
  auto given = text(name);
  if (std::find(yes.begin(), yes.end(), given) != yes.end()) return true;
  if (!given.empty() && std::find(no.begin(), no.end(), given) == no.end())
    fail(fmt::format(
        "Error decoding boolean for '{}': strconv.ParseBool: parsing {}: invalid syntax", name,
        quoted_text(given)));
  return false;
}

template <class T>
T parameters::read(std::string_view name, std::string_view type, std::string_view function) {
  auto given = text(name);
  if (given.empty()) return 0;
  std::string_view digits{given};
  if (std::is_signed_v<T> && digits.size() > 1 && digits[0] == '+' && digits[1] != '-')
    digits.remove_prefix(1);
  T result{};
  auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), result);
  bool malformed = end != digits.data() + digits.size() || failed == std::errc::invalid_argument;
  if (malformed || failed != std::errc{}) {
    fail(fmt::format("Error decoding {} for '{}': strconv.{}: parsing {}: {}", type, name, function,
                     quoted_text(given), malformed ? "invalid syntax" : "value out of range"));
    return 0;
  }
  return result;
}

int64_t parameters::integer(std::string_view name) {
  return read<int64_t>(name, "int", "Atoi");
}

uint64_t parameters::number(std::string_view name) {
  return read<uint64_t>(name, "uint64", "ParseUint");
}

split_target split(std::string_view target) {
  auto mark = std::min(target.find('?'), target.size());
  auto path = unescape(target.substr(0, mark), false);
  return {path.value_or(std::string{}), target.substr(std::min(mark + 1, target.size()))};
}

}  // namespace vagus

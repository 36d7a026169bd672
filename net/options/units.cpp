#include "net/options/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace vagus {

namespace {

std::string lower(std::string_view text) {
  std::string result{text};
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
  return result;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// 0 for a suffix that means nothing.
int64_t multiplier(std::string_view suffix) {
  if (suffix.empty()) return 1;
  auto power = std::string_view{"kmgtpe"}.find(suffix[0]);
  auto rest = suffix.substr(1);
  if (power == std::string_view::npos) return 0;
  if (!rest.empty() && rest != "b" && rest != "i" && rest != "ib") return 0;
  int64_t result = 1;
  for (size_t i = 0; i <= power; ++i) result *= rest.empty() ? 1000 : 1024;
  return result;
}

int base_of(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  auto mark = digits[1];
  int base = 8;
  if (mark == 'x' || mark == 'X') base = 16;
  if (mark == 'b' || mark == 'B') base = 2;
  digits.remove_prefix(base != 8 || mark == 'o' || mark == 'O' ? 2 : 1);
  return base;
}

/// Nanoseconds of one unit; 0 for an unknown one.
int64_t nanoseconds_of(std::string_view unit) {
  if (unit == "ns") return 1;
  if (unit == "us" || unit == "\u00b5s" || unit == "\u03bcs") return 1000;
  if (unit == "ms") return 1'000'000;
  if (unit == "s") return 1'000'000'000;
  if (unit == "m") return 60'000'000'000;
  if (unit == "h") return 3'600'000'000'000;
  return 0;
}

/// Takes one "number unit" off the front and adds it to `total`.
bool add_part(std::string_view& text, int64_t& total) {
  auto is_number = [](char c) { return is_digit(c) || c == '.'; };
  auto length = std::find_if_not(text.begin(), text.end(), is_number) - text.begin();
  auto number = text.substr(0, static_cast<size_t>(length));
  text.remove_prefix(number.size());
  auto unit = text.substr(0, std::find_if(text.begin(), text.end(), is_number) - text.begin());
  text.remove_prefix(unit.size());
  auto scale = nanoseconds_of(unit);
  auto point = std::min(number.find('.'), number.size());
  auto whole = number.substr(0, point);
  auto fraction = point < number.size() ? number.substr(point + 1) : std::string_view{};
  if (scale == 0 || whole.size() + fraction.size() == 0 || fraction.find('.') != fraction.npos)
    return false;
  int64_t value = 0;
  for (char c : whole)
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, c - '0', &value))
      return false;
  if (__builtin_mul_overflow(value, scale, &value)) return false;
  double weight = static_cast<double>(scale);
  double rest = 0;
  for (char c : fraction) rest += (c - '0') * (weight /= 10);
  return !__builtin_add_overflow(value, static_cast<int64_t>(rest + 1e-6), &value) &&
         !__builtin_add_overflow(total, value, &total);
}

std::string trimmed_fraction(int64_t value, int64_t unit) {
  auto text =
      fmt::format("{}.{:0{}}", value / unit, value % unit, fmt::formatted_size("{}", unit) - 1);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

parsed_integer parse_size(std::string_view text) {
  parsed_integer result;
  auto end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, result.value);
  if (error == std::errc::invalid_argument) return {0, number_error::malformed};
  auto suffix = lower({rest, static_cast<size_t>(end - rest)});
  auto factor = multiplier(suffix);
  if (factor == 0) return {0, number_error::malformed};
  if (error != std::errc{} || __builtin_mul_overflow(result.value, factor, &result.value))
    return {0, number_error::out_of_range};
  return result;
}

parsed_integer parse_go_integer(std::string_view text) {
  constexpr parsed_integer malformed{0, number_error::malformed};
  std::string digits;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    if (text[0] == '-') digits = "-";
    text.remove_prefix(1);
  }
  auto before = text;
  auto base = base_of(text);
  bool prefixed = text.size() < before.size();
  if (before.empty() || before.back() == '_' || (!prefixed && text[0] == '_')) return malformed;
  if (text.find("__") != text.npos || text.find_first_of("+-") != text.npos) return malformed;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits),
               [](char c) { return c != '_'; });
  parsed_integer result;
  auto end = digits.data() + digits.size();
  auto [rest, error] = std::from_chars(digits.data(), end, result.value, base);
  if (error == std::errc::invalid_argument || rest != end) return malformed;
  if (error != std::errc{}) return {0, number_error::out_of_range};
  return result;
}

std::optional<bool> parse_go_bool(std::string_view text) {
  for (auto word : {"1", "t", "T", "true", "TRUE", "True"})
    if (text == word) return true;
  for (auto word : {"0", "f", "F", "false", "FALSE", "False"})
    if (text == word) return false;
  return std::nullopt;
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::nanoseconds{0};
  if (text.empty()) return std::nullopt;
  int64_t total = 0;
  while (!text.empty())
    if (!add_part(text, total)) return std::nullopt;
  return std::chrono::nanoseconds{negative ? -total : total};
}

std::string format_duration(std::chrono::nanoseconds duration) {
  constexpr int64_t second = 1'000'000'000;
  auto n = duration.count();
  if (n == 0) return "0s";
  std::string sign = n < 0 ? "-" : "";
  if (n == INT64_MIN) return "-2562047h47m16.854775808s";
  if (n < 0) n = -n;
  if (n < 1000) return fmt::format("{}{}ns", sign, n);
  if (n < 1'000'000) return sign + trimmed_fraction(n, 1000) + "us";
  if (n < second) return sign + trimmed_fraction(n, 1'000'000) + "ms";
  auto seconds = trimmed_fraction(n % (60 * second), second) + "s";
  auto minutes = n / (60 * second);
  if (minutes == 0) return sign + seconds;
  if (minutes < 60) return fmt::format("{}{}m{}", sign, minutes, seconds);
  return fmt::format("{}{}h{}m{}", sign, minutes / 60, minutes % 60, seconds);
}

std::string friendly_bytes(uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  constexpr std::string_view prefixes = "KMGTPE";
  auto size = static_cast<double>(bytes) / 1024;
  size_t prefix = 0;
  for (; size >= 1024; size /= 1024) ++prefix;
  return fmt::format("{:.2f} {}B", size, prefixes[prefix]);
}

}  // namespace vagus

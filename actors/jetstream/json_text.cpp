#include "actors/jetstream/json_text.hpp"

#include "net/options/utf8.hpp"

#include <fmt/format.h>

#include <iterator>

namespace vagus {

namespace {

/// Whether Go's encoding/json copies the byte as it is.
bool stays_in_json(unsigned char c) {
  return c >= ' ' && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

void append_escaped(std::string& out, char32_t code) {
  switch (code) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<uint32_t>(code));
  }
}

void append_printed(std::string& out, char32_t code, std::string_view bytes) {
  switch (code) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\a':
      out += "\\a";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\v':
      out += "\\v";
      return;
    default:
      break;
  }
  auto number = static_cast<uint32_t>(code);
  if (number < ' ' || number == 0x7f)
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", number);
  else if ((number >= 0x80 && number <= 0xa0) || number == 0xad)
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", number);
  else
    out += bytes;
}

/// `number` with `unit`, with as much of a fraction as there is.
std::string with_fraction(int64_t number, int64_t scale, std::string_view unit) {
  auto text = fmt::format("{}", number / scale);
  if (auto rest = number % scale; rest != 0) {
    int width = 0;
    for (int64_t s = scale; s > 1; s /= 10) ++width;
    auto digits = fmt::format("{:0{}}", rest, width);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += '.' + digits;
  }
  return text.append(unit);
}

}  // namespace

std::string go_quoted(std::string_view text) {
  std::string out{'"'};
  out.reserve(text.size() + 2);
  while (!text.empty()) {
    size_t plain = 0;
    while (plain < text.size() && stays_in_json(text[plain])) ++plain;
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    auto c = decode_utf8(text);
    if (!c.valid)
      out += "\\ufffd";
    else if (c.size == 1 || c.code == 0x2028 || c.code == 0x2029)
      append_escaped(out, c.code);
    else
      out += text.substr(0, c.size);
    text.remove_prefix(c.size);
  }
  return out += '"';
}

std::string go_printed(std::string_view text) {
  std::string out{'"'};
  while (!text.empty()) {
    auto c = decode_utf8(text);
    if (c.valid)
      append_printed(out, c.code, text.substr(0, c.size));
    else
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text[0]));
    text.remove_prefix(c.size);
  }
  return out += '"';
}

std::string printed_character(std::string_view text) {
  auto printed = go_printed(text.substr(0, decode_utf8(text).size));
  auto inner = printed.substr(1, printed.size() - 2);
  if (inner == "\\\"") inner = "\"";
  if (inner == "'") inner = "\\'";
  return fmt::format("'{}'", inner);
}

std::string go_duration(int64_t duration_ns) {
  if (duration_ns == 0) return "0s";
  constexpr int64_t second = 1'000'000'000;
  bool negative = duration_ns < 0;
  // The least value has no positive counterpart.
  if (duration_ns == INT64_MIN) return "-2562047h47m16.854775808s";
  int64_t d = negative ? -duration_ns : duration_ns;
  std::string text = negative ? "-" : "";
  if (d < 1000) return text + fmt::format("{}ns", d);
  if (d < 1'000'000) return text + with_fraction(d, 1000, "µs");
  if (d < second) return text + with_fraction(d, 1'000'000, "ms");
  int64_t minutes = d / second / 60;
  if (minutes >= 60) text += fmt::format("{}h", minutes / 60);
  if (minutes > 0) text += fmt::format("{}m", minutes % 60);
  return text + with_fraction(d % (60 * second), second, "s");
}

}  // namespace vagus

#include "net/protocol/redact.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vagus {

namespace {

constexpr std::array<std::string_view, 4> secrets{"pass", "auth_token", "sig", "jwt"};

size_t skip_blanks(std::string_view text, size_t at) {
  while (at < text.size() &&
         (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n'))
    ++at;
  return at;
}

bool same_letters(std::string_view given, std::string_view lower) {
  return std::equal(given.begin(), given.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b; });
}

/// Where the value begins if a quote at `at` opens the key of a secret; npos if not.
size_t secret_value(std::string_view text, size_t at) {
  for (auto name : secrets) {
    auto end = at + 1 + name.size();
    if (!same_letters(text.substr(at + 1, name.size()), name)) continue;
    if (end >= text.size() || text[end] != '"') continue;
    auto colon = skip_blanks(text, end + 1);
    if (colon < text.size() && text[colon] == ':') return skip_blanks(text, colon + 1);
  }
  return std::string_view::npos;
}

/// A value is a quoted string, closed or not, or whatever stands there up to the next comma.
size_t end_of_value(std::string_view text, size_t at) {
  if (at >= text.size() || text[at] != '"')
    return std::min(text.find_first_of(",}", at), text.size());
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return std::min(at + 1, text.size());
}

}  // namespace

/// By hand, not by std::regex: that recurses for every character, and so ends with the stack.
std::string redact_secrets(std::string_view json) {
  std::string out;
  size_t done = 0;
  for (auto at = json.find('"'); at != std::string_view::npos; at = json.find('"', at)) {
    auto value = secret_value(json, at);
    if (value == std::string_view::npos) {
      ++at;
      continue;
    }
    out.append(json.substr(done, value - done)).append("\"[REDACTED]\"");
    done = at = end_of_value(json, value);
  }
  return out.append(json.substr(done));
}

std::string quoted_text(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out.append({'\\', c});
    else if (c == '\r')
      out += "\\r";
    else if (c == '\n')
      out += "\\n";
    else if (byte < 0x20 || byte == 0x7F)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out + '"';
}

}  // namespace vagus

#include "net/protocol/redact.hpp"

#include <fmt/format.h>

#include <regex>

namespace vagus {

std::string redact_secrets(std::string_view json) {
  // A value is a quoted string, closed or not, or whatever stands there up to the next comma.
  static const std::regex secret{
      R"re(("(?:pass|auth_token|sig|jwt)"\s*:\s*)("(?:[^"\\]|\\.)*"?|[^,}]*))re",
      std::regex::icase | std::regex::optimize};
  std::string text{json};
  return std::regex_replace(text, secret, "$1\"[REDACTED]\"");
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

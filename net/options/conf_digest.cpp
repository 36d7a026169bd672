#include "net/options/conf_value.hpp"
#include "net/options/utf8.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <charconv>
#include <cmath>

// The digest is of the JSON text that Go's encoder writes for the tree, since nats-server's is:
// keys sorted, no blanks, "<", ">", "&" and the two Unicode line separators escaped, and a newline
// at the end.

namespace vagus {

namespace {

void append_control(std::string& out, char32_t c) {
  switch (c) {
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
      out += fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
  }
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    auto [c, size, valid] = decode_utf8(text);
    if (!valid)
      out += "\xef\xbf\xbd";  // U+FFFD
    else if (c == '"' || c == '\\')
      (out += '\\') += static_cast<char>(c);
    else if (c < 0x20 || c == '<' || c == '>' || c == '&' || c == 0x2028 || c == 0x2029)
      append_control(out, c);
    else
      out += text.substr(0, size);
    text.remove_prefix(size);
  }
  out += '"';
}

/// Shortest digits that read back the same; an exponent only for very large and very small numbers.
void append_double(std::string& out, double x) {
  char buffer[400];
  auto magnitude = std::fabs(x);
  bool scientific = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
  auto format = scientific ? std::chars_format::scientific : std::chars_format::fixed;
  auto end = std::to_chars(buffer, buffer + sizeof buffer, x, format).ptr;
  std::string text{buffer, end};
  auto n = text.size();
  if (scientific && n >= 4 && text[n - 4] == 'e' && text[n - 3] == '-' && text[n - 2] == '0')
    text.erase(n - 2, 1);  // e-09 becomes e-9
  out += text;
}

void append_value(std::string& out, const conf_value& value);

void append_array(std::string& out, const conf_array& array) {
  out += '[';
  for (size_t i = 0; i < array.size(); ++i) {
    if (i > 0) out += ',';
    append_value(out, array[i]);
  }
  out += ']';
}

void append_map(std::string& out, const conf_map& map) {
  out += '{';
  bool first = true;
  for (auto& [key, value] : map) {
    if (!first) out += ',';
    first = false;
    append_string(out, key);
    out += ':';
    append_value(out, value);
  }
  out += '}';
}

void append_value(std::string& out, const conf_value& value) {
  struct visitor {
    std::string& out;
    void operator()(int64_t x) { out += std::to_string(x); }
    void operator()(bool x) { out += x ? "true" : "false"; }
    void operator()(double x) { append_double(out, x); }
    void operator()(const std::string& x) { append_string(out, x); }
    void operator()(const conf_datetime& x) { append_string(out, x.text); }
    void operator()(const conf_array& x) { append_array(out, x); }
    void operator()(const conf_map& x) { append_map(out, x); }
  };
  std::visit(visitor{out}, value.data);
}

}  // namespace

std::string conf_digest(const conf_map& root) {
  std::string text;
  append_map(text, root);
  text += '\n';
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), hash, &size, EVP_sha256(), nullptr) != 1) return {};
  std::string result = "sha256:";
  for (unsigned int i = 0; i < size; ++i) result += fmt::format("{:02x}", hash[i]);
  return result;
}

}  // namespace vagus

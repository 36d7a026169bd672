#include "tests/support/text.hpp"

#include <cstdio>
#include <fstream>
#include <iterator>

namespace vagus::test {
namespace {

std::string expand(std::string_view name, const variables& vars) {
  if (const auto star = name.rfind('*'); star != std::string_view::npos) {
    const auto known = vars.find(std::string{name.substr(0, star)});
    const auto unit = known != vars.end() ? known->second : unescape(name.substr(0, star), vars);
    std::string all;
    for (auto left = std::stoul(std::string{name.substr(star + 1)}); left > 0; --left) all += unit;
    return all;
  }
  const auto it = vars.find(std::string{name});
  if (it == vars.end()) throw failure{"unknown variable ${" + std::string{name} + "}"};
  return it->second;
}

// Takes the escape after a backslash from `text` at `i`, leaves `i` on its last character.
char unescape_one(std::string_view text, size_t& i) {
  switch (text[i]) {
    case 'r':
      return '\r';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'x': {
      const auto digits = std::string{text.substr(i + 1, 2)};
      i += 2;
      return static_cast<char>(std::stoi(digits, nullptr, 16));
    }
    default:
      return text[i];
  }
}

// Both notations: with `escapes` also the backslashes.
std::string decode(std::string_view text, const variables& vars, bool escapes) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (escapes && text[i] == '\\' && i + 1 < text.size()) {
      bytes += unescape_one(text, ++i);
    } else if (text.substr(i, 2) == "${") {
      const auto end = text.find('}', i);
      if (end == std::string_view::npos) throw failure{"${ without }"};
      bytes += expand(text.substr(i + 2, end - i - 2), vars);
      i = end;
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

}  // namespace

std::string unescape(std::string_view text, const variables& vars) {
  return decode(text, vars, true);
}

std::string substitute(std::string_view text, const variables& vars) {
  return decode(text, vars, false);
}

std::string printable(std::string_view bytes, size_t limit) {
  if (bytes.size() > limit) {
    const auto half = limit / 2;
    return printable(bytes.substr(0, half), limit) + " ...(" + std::to_string(bytes.size()) +
           " bytes)... " + printable(bytes.substr(bytes.size() - half), limit);
  }
  std::string text;
  for (const char c : bytes) {
    char hex[8];
    if (c == '\r')
      text += "\\r";
    else if (c == '\n')
      text += "\\n";
    else if (c == '\t')
      text += "\\t";
    else if (c == '\\')
      text += "\\\\";
    else if (c >= ' ' && c < 127)
      text += c;
    else
      text.append(hex, std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned char>(c)));
  }
  return text;
}

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> all;
  std::string word;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (quoted || (c != ' ' && c != '\t')) {
      word += c;
    } else if (!word.empty()) {
      all.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) all.push_back(std::move(word));
  return all;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace vagus::test

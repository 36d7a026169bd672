#include "actors/jetstream/json_scan.hpp"

#include "actors/jetstream/json_text.hpp"
#include "net/options/utf8.hpp"

#include <fmt/format.h>

#include <vector>

namespace vagus {

namespace {

bool is_json_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_json_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_json_hex(char c) {
  return is_json_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

class scanner {
public:
  scanner(std::string_view text, size_t from) : text_{text}, at_{from} {}

  scanned_json run() {
    bool good = value();
    while (good && !open_.empty()) good = after_value();
    result_.end = at_;
    return std::move(result_);
  }

private:
  /// A scalar, or the opening bracket and what must follow it.
  bool value() {
    if (!to_next()) return false;
    char c = text_[at_];
    switch (c) {
      case '{':
        return open() && to_next() && (text_[at_] == '}' || key());
      case '[':
        return open() && to_next() && (text_[at_] == ']' || value());
      case '"':
        return string();
      case 't':
        return literal("true");
      case 'f':
        return literal("false");
      case 'n':
        return literal("null");
      default:
        return c == '-' || is_json_digit(c) ? number()
                                            : unexpected("looking for beginning of value");
    }
  }

  bool open() {
    if (open_.size() == max_json_depth) {
      result_.error = "exceeded max depth";
      result_.offset = at_ + 1;
      return false;
    }
    open_.push_back(text_[at_++]);
    return true;
  }

  bool key() {
    if (!to_next()) return false;
    if (text_[at_] != '"') return unexpected("looking for beginning of object key string");
    if (!string() || !to_next()) return false;
    if (text_[at_] != ':') return unexpected("after object key");
    ++at_;
    return value();
  }

  /// What follows a value inside of the innermost bracket.
  bool after_value() {
    if (!to_next()) return false;
    bool object = open_.back() == '{';
    char c = text_[at_];
    if (c == (object ? '}' : ']')) {
      ++at_;
      open_.pop_back();
      return true;
    }
    if (c != ',') return unexpected(object ? "after object key:value pair" : "after array element");
    ++at_;
    return object ? key() : value();
  }

  bool string() {
    for (++at_; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < ' ') return unexpected("in string");
      if (c == '\\' && !escape()) return false;
    }
    return ended();
  }

  /// Leaves `at_` at the escape's last byte.
  bool escape() {
    auto rest = text_.substr(at_);
    if (rest.size() < 2) return ended();
    size_t size = rest[1] == 'u' ? 6 : 2;
    if (rest.size() < size) return ended();
    bool good = std::string_view{"\"\\/bfnrtu"}.find(rest[1]) != std::string_view::npos;
    for (size_t i = 2; i < size; ++i) good = good && is_json_hex(rest[i]);
    if (!good) {
      result_.error = fmt::format("invalid escape sequence `{}` in string", rest.substr(0, size));
      result_.offset = at_ + size;
      return false;
    }
    at_ += size - 1;
    return true;
  }

  bool literal(std::string_view word) {
    for (size_t i = 0; i < word.size(); ++i, ++at_) {
      if (at_ == text_.size()) return ended();
      if (text_[at_] != word[i])
        return unexpected(fmt::format("in literal {} (expecting '{}')", word, word[i]));
    }
    return true;
  }

  bool digits() {
    if (at_ == text_.size()) return ended();
    if (!is_json_digit(text_[at_])) return unexpected("in numeric literal");
    while (at_ < text_.size() && is_json_digit(text_[at_])) ++at_;
    return true;
  }

  bool number() {
    if (text_[at_] == '-') ++at_;
    if (at_ < text_.size() && text_[at_] == '0')
      ++at_;
    else if (!digits())
      return false;
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      if (!digits()) return false;
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      return digits();
    }
    return true;
  }

  bool to_next() {
    at_ = skip_json_space(text_, at_);
    return at_ < text_.size() || ended();
  }

  bool ended() {
    result_.error = "unexpected EOF";
    result_.ended_early = true;
    return false;
  }

  bool unexpected(std::string_view where) {
    result_.error =
        fmt::format("invalid character {} {}", printed_character(text_.substr(at_)), where);
    result_.offset = at_ + decode_utf8(text_.substr(at_)).size;
    return false;
  }

  std::string_view text_;
  size_t at_;
  std::vector<char> open_;
  scanned_json result_;
};

void append_utf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

uint32_t four_hex(std::string_view text) {
  uint32_t code = 0;
  for (char c : text.substr(0, 4))
    code = code * 16 + static_cast<uint32_t>(is_json_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
  return code;
}

/// Takes one escape from the front of `rest`.
void unescape(std::string& out, std::string_view& rest) {
  constexpr std::string_view names = "\"\\/bfnrt";
  constexpr std::string_view bytes = "\"\\/\b\f\n\r\t";
  char c = rest[1];
  if (c != 'u') {
    out += bytes[names.find(c)];
    rest.remove_prefix(2);
    return;
  }
  auto code = four_hex(rest.substr(2));
  rest.remove_prefix(6);
  if (code < 0xd800 || code >= 0xe000) return append_utf8(out, code);
  if (code < 0xdc00 && rest.size() >= 6 && rest[0] == '\\' && rest[1] == 'u') {
    auto low = four_hex(rest.substr(2));
    if (low >= 0xdc00 && low < 0xe000) {
      rest.remove_prefix(6);
      return append_utf8(out, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
    }
  }
  append_utf8(out, 0xfffd);
}

}  // namespace

scanned_json scan_json(std::string_view text, size_t from) {
  return scanner{text, from}.run();
}

size_t skip_json_space(std::string_view text, size_t from) {
  while (from < text.size() && is_json_space(text[from])) ++from;
  return from;
}

char json_source::peek() {
  at_ = skip_json_space(text_, at_);
  return text_[at_];
}

std::string_view json_source::raw() {
  peek();
  size_t start = at_;
  size_t depth = 0;
  bool quoted = false;
  for (; at_ < text_.size(); ++at_) {
    char c = text_[at_];
    if (quoted) {
      if (c == '\\')
        ++at_;
      else if (c == '"')
        quoted = false;
      if (!quoted && depth == 0) return text_.substr(start, ++at_ - start);
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '{' || c == '[') ++depth;
    if (depth == 0 && !quoted && (is_json_space(c) || c == ',' || c == '}' || c == ']')) break;
    if ((c == '}' || c == ']') && --depth == 0) return text_.substr(start, ++at_ - start);
  }
  return text_.substr(start, at_ - start);
}

std::string json_source::text() {
  auto rest = raw();
  rest = rest.substr(1, rest.size() - 2);
  std::string out;
  out.reserve(rest.size());
  while (!rest.empty()) {
    if (rest[0] == '\\') {
      unescape(out, rest);
      continue;
    }
    auto c = decode_utf8(rest);
    if (c.valid)
      out += rest.substr(0, c.size);
    else
      append_utf8(out, 0xfffd);
    rest.remove_prefix(c.size);
  }
  return out;
}

void json_source::enter() {
  peek();
  ++at_;
}

bool json_source::more() {
  char c = peek();
  if (c == ',' || c == '}' || c == ']') ++at_;
  return c != '}' && c != ']';
}

std::string json_source::key() {
  auto name = text();
  peek();
  ++at_;  // the colon
  return name;
}

}  // namespace vagus

#include "net/options/conf_lexer.hpp"

#include <algorithm>

// The scalars of the configuration language. A word is guessed to be a number as long as it looks
// like one; what only begins like a number ("10s", "1.2.3.4:4222", "4kids") is a string.

namespace vagus {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_bool_word(std::string_view word) {
  std::string lower{word};
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (auto known : {"true", "false", "on", "off", "yes", "no"})
    if (lower == known) return true;
  return false;
}

}  // namespace

conf_token conf_lexer::scalar() {
  auto token = start(conf_token_kind::string);
  switch (peek()) {
    case '\'':
      return raw_quoted(conf_token_kind::string, '\'');
    case '"':
      return escaped_quoted();
    case '(':
      return block();
    case '-':
      return number();
    case '.':
      return error("a number must start with a digit");
    default:
      return is_digit(peek()) ? number() : word(pos_, std::move(token));
  }
}

bool conf_lexer::ends_value() const {
  return at_end() || at_newline() ||
         std::string_view{" \t;,]}"}.find(peek()) != std::string_view::npos;
}

size_t conf_lexer::take_digits() {
  auto from = pos_;
  while (is_digit(peek())) advance(1);
  return pos_ - from;
}

bool conf_lexer::unescape(std::string& out) {
  advance(1);
  auto c = peek();
  advance(1);
  switch (c) {
    case 't':
      out += '\t';
      return true;
    case 'n':
      out += '\n';
      return true;
    case 'r':
      out += '\r';
      return true;
    case '"':
      out += '"';
      return true;
    case '\\':
      out += '\\';
      return true;
    case 'x':
      break;
    default:
      return false;
  }
  auto high = hex_digit(peek());
  if (high < 0) return false;
  advance(1);
  auto low = hex_digit(peek());
  if (low < 0) return false;
  advance(1);
  out += static_cast<char>(high * 16 + low);
  return true;
}

conf_token conf_lexer::escaped_quoted() {
  auto token = start(conf_token_kind::string);
  advance(1);
  while (!at_end() && peek() != '"') {
    if (peek() == '\\') {
      if (!unescape(token.text)) return error(R"(an escape must be \xXX, \t, \n, \r, \" or \\)");
      continue;
    }
    token.text += peek();
    advance(1);
  }
  if (!accept('"')) return error("the file ends inside a quoted text");
  return token;
}

conf_token conf_lexer::block() {
  auto token = start(conf_token_kind::string);
  advance(1);
  auto from = pos_;
  for (; !at_end(); advance(1)) {
    if (peek() != ')' || text_[pos_ - 1] != '\n') continue;
    if (pos_ + 1 < text_.size() && text_[pos_ + 1] != '\n') continue;
    token.text = taken(from);
    advance(1);
    return token;
  }
  return error("a block must end with a \")\" on a line of its own");
}

conf_token conf_lexer::word(size_t from, conf_token token) {
  token.kind = conf_token_kind::string;
  token.text = taken(from);
  bool bare = true;  // no escape seen
  while (!ends_value() && peek() != '\'') {
    if (peek() == '\\') {
      bare = false;
      if (!unescape(token.text)) return error(R"(an escape must be \xXX, \t, \n, \r, \" or \\)");
      continue;
    }
    token.text += peek();
    advance(1);
  }
  if (accept('\'') || !bare) return token;
  if (is_bool_word(token.text)) token.kind = conf_token_kind::boolean;
  if (token.text.starts_with('$')) {
    token.kind = conf_token_kind::variable;
    token.text.erase(0, 1);
  }
  return token;
}

conf_token conf_lexer::number() {
  auto token = start(conf_token_kind::integer);
  auto from = pos_;
  bool negative = accept('-');
  auto digits = take_digits();
  if (digits == 0) return error("a digit must follow the minus sign");
  if (accept('.')) return after_point(std::move(token), from);
  if (peek() == '-' && !negative) {
    if (digits == 4) return date(std::move(token), from);
    return error("a date must look like 2026-01-31T12:00:00Z");
  }
  if (!at_end() && std::string_view{"kKmMgGtTpPeE"}.find(peek()) != std::string_view::npos) {
    advance(1);
    while (!at_end() && std::string_view{"bBiI"}.find(peek()) != std::string_view::npos) advance(1);
  }
  if (!ends_value()) return word(from, std::move(token));
  token.text = taken(from);
  return token;
}

conf_token conf_lexer::after_point(conf_token token, size_t from) {
  token.kind = conf_token_kind::floating;
  if (take_digits() == 0) return error("a digit must follow the point");
  if (peek() == '.') {  // an address, such as 127.0.0.1:4222
    token.kind = conf_token_kind::string;
    while (is_digit(peek()) || peek() == '.' || peek() == ':' || peek() == '-') advance(1);
  }
  token.text = taken(from);
  return token;
}

conf_token conf_lexer::date(conf_token token, size_t from) {
  token.kind = conf_token_kind::datetime;
  constexpr std::string_view shape = "-00-00T00:00:00Z";
  for (char c : shape) {
    if (c == '0' ? !is_digit(peek()) : peek() != c)
      return error("a date must look like 2026-01-31T12:00:00Z");
    advance(1);
  }
  token.text = taken(from);
  auto two = [&](size_t at) { return (token.text[at] - '0') * 10 + token.text[at + 1] - '0'; };
  static constexpr int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int year = two(0) * 100 + two(2);
  int month = two(5);
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  bool valid = month >= 1 && month <= 12 && two(11) < 24 && two(14) < 60 && two(17) < 60;
  if (valid) valid = two(8) >= 1 && two(8) <= month_days[month - 1] + (month == 2 && leap ? 1 : 0);
  if (!valid) return error("there is no such date or time: " + token.text);
  return token;
}

}  // namespace vagus

#include "net/options/conf_lexer.hpp"

#include "net/options/utf8.hpp"

#include <algorithm>

namespace vagus {

namespace {

bool is_separator(char c) {
  return c == '=' || c == ':';
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
  });
}

}  // namespace

void conf_lexer::advance(size_t count) {
  for (; count > 0 && !at_end(); --count)
    if (text_[pos_++] == '\n') {
      ++line_;
      line_start_ = pos_;
    }
}

bool conf_lexer::accept(char c) {
  if (at_end() || text_[pos_] != c) return false;
  advance(1);
  return true;
}

conf_token conf_lexer::start(conf_token_kind kind) const {
  return {kind, {}, line_, static_cast<int>(pos_ - line_start_) + 1};
}

conf_token conf_lexer::error(std::string message) const {
  auto token = start(conf_token_kind::error);
  token.text = std::move(message);
  return token;
}

void conf_lexer::skip_blanks() {
  while (peek() == ' ' || peek() == '\t') advance(1);
}

void conf_lexer::skip_space() {
  while (!at_end()) {
    auto c = decode_utf8(text_.substr(pos_));
    if (!is_unicode_space(c.code)) return;
    advance(c.size);
  }
}

bool conf_lexer::skip_comment() {
  if (peek() != '#' && text_.substr(pos_, 2) != "//") return false;
  while (!at_end() && !at_newline()) advance(1);
  return true;
}

conf_token conf_lexer::key() {
  if (peek() == '"' || peek() == '\'') return raw_quoted(conf_token_kind::key, peek());
  auto token = start(conf_token_kind::key);
  if (is_separator(peek())) return error("a key is missing before the separator");
  auto from = pos_;
  bool space = false;
  while (!at_end() && !is_separator(peek())) {
    auto c = decode_utf8(text_.substr(pos_));
    space = is_unicode_space(c.code);
    if (space) break;
    advance(c.size);
  }
  token.text = taken(from);
  if (space && equals_ignoring_case(token.text, "include")) token.kind = conf_token_kind::include;
  return token;
}

conf_token conf_lexer::include_path() {
  skip_blanks();
  if (peek() == '"' || peek() == '\'') return raw_quoted(conf_token_kind::string, peek());
  auto c = peek();
  if (at_end() || at_newline() || c == '[' || c == '{' || c == '(' || c == '\\' || c == '-' ||
      (c >= '0' && c <= '9'))
    return error("include needs a file name");
  auto token = start(conf_token_kind::string);
  auto from = pos_;
  auto ends = [this] {
    return at_end() || at_newline() ||
           std::string_view{" \t;}'"}.find(peek()) != std::string_view::npos;
  };
  while (!ends()) advance(1);
  token.text = taken(from);
  accept('\'');
  return token;
}

conf_token conf_lexer::raw_quoted(conf_token_kind kind, char quote) {
  auto token = start(kind);
  advance(1);
  auto from = pos_;
  while (!at_end() && peek() != quote) advance(1);
  token.text = taken(from);
  if (!accept(quote)) return error("the file ends inside a quoted text");
  return token;
}

}  // namespace vagus

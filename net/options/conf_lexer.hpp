#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vagus {

/// What one word of a configuration file turned out to be.
enum class conf_token_kind : uint8_t {
  key,
  include,  ///< the word "include" in the place of a key, followed by white space
  string,
  boolean,
  integer,   ///< may carry a size suffix
  floating,  ///< digits, a point, digits
  datetime,
  variable,  ///< the text is the name without its "$"
  error,     ///< the text says what is wrong
};

struct conf_token {
  conf_token_kind kind = conf_token_kind::error;
  std::string text;
  int line = 1;
  int column = 1;
};

/// Cuts a text in nats-server's configuration language into words. What a word is depends on where
/// it stands, so the parser asks for the kind that it expects. The text must outlive the lexer.
/// Never reads past the end; every call that returns no error either moves on or is at a character
/// that ends a word.
class conf_lexer {
public:
  explicit conf_lexer(std::string_view text) : text_(text) {}

  bool at_end() const { return pos_ >= text_.size(); }
  /// The next byte; NUL at the end.
  char peek() const { return at_end() ? '\0' : text_[pos_]; }
  /// Takes the next byte if it is `c`.
  bool accept(char c);
  bool at_newline() const { return peek() == '\n' || peek() == '\r'; }

  /// Spaces and tabs.
  void skip_blanks();
  /// All that Unicode calls white space, line ends included.
  void skip_space();
  /// A comment up to, not including, its line end. False if none starts here.
  bool skip_comment();

  /// A key, quoted or not, or the word "include".
  conf_token key();
  /// Any value but an array or a map.
  conf_token scalar();
  /// The file name after "include".
  conf_token include_path();

  /// A token of kind `error` at the current place, for the parser's own findings.
  conf_token error(std::string message) const;

private:
  conf_token start(conf_token_kind kind) const;
  void advance(size_t count);
  /// The bytes taken since `from`.
  std::string taken(size_t from) const { return std::string{text_.substr(from, pos_ - from)}; }
  bool ends_value() const;
  size_t take_digits();

  conf_token raw_quoted(conf_token_kind kind, char quote);
  conf_token escaped_quoted();
  conf_token block();
  conf_token word(size_t from, conf_token token);
  conf_token number();
  conf_token date(conf_token token, size_t from);
  conf_token after_point(conf_token token, size_t from);
  /// Appends what the escape at the current place stands for; false for a wrong one.
  bool unescape(std::string& out);

  std::string_view text_;
  size_t pos_ = 0;
  int line_ = 1;
  size_t line_start_ = 0;
};

}  // namespace vagus

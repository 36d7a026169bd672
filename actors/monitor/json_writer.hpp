#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vagus {

/// Writes JSON from front to back, two spaces to a level: the lists of monitoring are long, and a
/// tree of them would be built only to be walked once.
class json_writer {
public:
  json_writer& begin_object() { return open('{'); }
  json_writer& end_object() { return close('}'); }
  json_writer& begin_array() { return open('['); }
  json_writer& end_array() { return close(']'); }

  /// The next value is this member's.
  json_writer& key(std::string_view name);

  json_writer& value(std::string_view text);
  json_writer& value(const char* text) { return value(std::string_view{text}); }
  json_writer& value(bool yes) { return raw(yes ? "true" : "false"); }
  json_writer& value(double number);
  template <std::integral T>
  json_writer& value(T number) {
    return raw(std::to_string(number));
  }

  /// A value that is JSON already, laid out anew; `null` for what is none.
  json_writer& json(std::string_view text);

  template <class T>
  json_writer& member(std::string_view name, const T& x) {
    return key(name).value(x);
  }
  /// Only if there is something to say: not for "", 0 and false.
  template <class T>
  json_writer& optional(std::string_view name, const T& x) {
    return x == T{} ? *this : member(name, x);
  }

  std::string take() { return std::move(out_); }

private:
  json_writer& open(char bracket);
  json_writer& close(char bracket);
  json_writer& raw(std::string_view text);
  void begin_value();

  std::string out_;
  size_t depth_ = 0;
  bool first_ = true;       ///< nothing yet inside the innermost bracket
  bool after_key_ = false;  ///< the value goes on the line of its key
};

/// `text` in JSON's quotes; bytes that are no UTF-8 are replaced.
std::string json_quoted(std::string_view text);

}  // namespace vagus

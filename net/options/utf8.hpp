#pragma once

#include <cstdint>
#include <string_view>

namespace vagus {

/// The first character of a text. An invalid byte counts as one character of size 1.
struct utf8_character {
  char32_t code = 0;
  size_t size = 0;
  bool valid = true;
};

/// `text` must not be empty.
utf8_character decode_utf8(std::string_view text);

/// Whether Unicode calls it white space (line ends included).
bool is_unicode_space(char32_t c);

}  // namespace vagus

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vagus {

// JSON as Go's encoding/json takes it. A library would be stricter: clients may send bytes that are
// no UTF-8, and half surrogates, and nats-server stores U+FFFD instead of refusing them.

/// Where a value ends, or why there is none.
struct scanned_json {
  size_t end = 0;
  std::string error;  ///< Go's words; empty if the value is good
  size_t offset = 0;  ///< of the error, from 1; 0 where the text ended too early
  bool ended_early = false;
};

/// How deep values may nest.
constexpr size_t max_json_depth = 10'000;

/// Checks the one value at `from`, which is no white space.
scanned_json scan_json(std::string_view text, size_t from);

/// The first place from `from` on that is no white space.
size_t skip_json_space(std::string_view text, size_t from);

/// Walks over text that `scan_json` has found good.
class json_source {
public:
  explicit json_source(std::string_view text, size_t at = 0) : text_{text}, at_{at} {}

  /// The first character of the next value: one of `{["tfn-0123456789`.
  char peek();

  /// Takes the next value, whatever it is, as it is written.
  std::string_view raw();

  /// Takes a string.
  std::string text();

  /// Takes the opening bracket of the object or array that is next.
  void enter();
  /// Takes the closing bracket, or what separates from the next member or element: then true.
  bool more();
  /// Takes a member's key with its colon.
  std::string key();

private:
  std::string_view text_;
  size_t at_;
};

}  // namespace vagus

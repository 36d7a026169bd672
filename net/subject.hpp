#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vagus {

/// True if `subject` may be subscribed to: tokens joined by '.', none empty, no white space, and
/// `>` alone only as the last token. `a*b` and `a>` are literal tokens.
bool valid_subject(std::string_view subject);

/// True if `subject` is valid and has neither `*` nor `>` as a token (what pedantic mode asks of
/// PUB).
bool valid_literal_subject(std::string_view subject);

/// True if some token is a `partial_wildcard` or a `full_wildcard`.
bool has_wildcard(std::string_view subject);

size_t token_count(std::string_view subject);

/// True if a message published to `subject`, taken literally, reaches a subscription to `pattern`.
/// A subject with an empty token reaches nobody.
bool subject_matches(std::string_view pattern, std::string_view subject);

/// True if some literal subject matches both patterns.
bool subjects_overlap(std::string_view a, std::string_view b);

/// True if every subject that matches the pattern `inner` matches the pattern `outer` as well.
bool subject_covers(std::string_view outer, std::string_view inner);

/// Walks the tokens of a subject without copying.
class token_reader {
public:
  explicit token_reader(std::string_view subject) : rest_{subject} {}

  /// Puts the next token into `token`; false after the last one.
  bool next(std::string_view& token) {
    if (done_) return false;
    auto dot = rest_.find('.');
    if (dot == std::string_view::npos) {
      token = rest_;
      done_ = true;
    } else {
      token = rest_.substr(0, dot);
      rest_.remove_prefix(dot + 1);
    }
    return true;
  }

  bool at_end() const { return done_; }

private:
  std::string_view rest_;
  bool done_ = false;
};

/// A 64-bit hash of bytes, the same in every process: for tables in memory, not for disks.
uint64_t hash_bytes(std::string_view bytes, uint64_t seed = 0);

}  // namespace vagus

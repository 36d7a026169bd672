#include "net/subject.hpp"

#include <cstring>

namespace vagus {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

enum class token_kind { invalid, literal, partial, full };

token_kind classify(std::string_view token) {
  if (token.empty()) return token_kind::invalid;
  if (token.size() == 1) {
    if (token[0] == '*') return token_kind::partial;
    if (token[0] == '>') return token_kind::full;
  }
  for (char c : token)
    if (is_space(c)) return token_kind::invalid;
  return token_kind::literal;
}

bool is_full(std::string_view token) {
  return token == ">";
}
bool is_partial(std::string_view token) {
  return token == "*";
}

}  // namespace

bool valid_subject(std::string_view subject) {
  if (subject.empty()) return false;
  token_reader tokens{subject};
  for (std::string_view token; tokens.next(token);) {
    auto kind = classify(token);
    if (kind == token_kind::invalid) return false;
    if (kind == token_kind::full && !tokens.at_end()) return false;
  }
  return true;
}

bool valid_literal_subject(std::string_view subject) {
  return valid_subject(subject) && !has_wildcard(subject);
}

bool has_wildcard(std::string_view subject) {
  token_reader tokens{subject};
  for (std::string_view token; tokens.next(token);)
    if (is_full(token) || is_partial(token)) return true;
  return false;
}

size_t token_count(std::string_view subject) {
  size_t count = 1;
  for (char c : subject) count += c == '.';
  return count;
}

bool subject_matches(std::string_view pattern, std::string_view subject) {
  token_reader wanted{pattern};
  token_reader given{subject};
  bool open = false;  // a `>` has taken in everything that follows
  std::string_view w;
  std::string_view g;
  while (given.next(g)) {
    if (g.empty()) return false;
    if (open) continue;
    if (!wanted.next(w)) return false;
    if (is_full(w)) {
      open = true;
    } else if (!is_partial(w) && w != g) {
      return false;
    }
  }
  return open || !wanted.next(w);
}

bool subjects_overlap(std::string_view a, std::string_view b) {
  token_reader left{a};
  token_reader right{b};
  std::string_view l;
  std::string_view r;
  for (;;) {
    bool more_left = left.next(l);
    bool more_right = right.next(r);
    if (!more_left || !more_right) return more_left == more_right;
    if (is_full(l) || is_full(r)) return true;
    if (!is_partial(l) && !is_partial(r) && l != r) return false;
  }
}

bool subject_covers(std::string_view outer, std::string_view inner) {
  token_reader wide{outer};
  token_reader narrow{inner};
  std::string_view w;
  std::string_view n;
  while (wide.next(w)) {
    if (!narrow.next(n) || w.empty()) return false;
    if (is_full(w)) return true;
    if (n.empty() || is_full(n)) return false;
    if (!is_partial(w) && w != n) return false;
  }
  return narrow.at_end();
}

uint64_t hash_bytes(std::string_view bytes, uint64_t seed) {
  constexpr uint64_t k1 = 0x9E3779B97F4A7C15ull;
  constexpr uint64_t k2 = 0xC2B2AE3D27D4EB4Full;
  auto mix = [](uint64_t a, uint64_t b) {
    auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  const char* p = bytes.data();
  size_t n = bytes.size();
  uint64_t h = mix(seed ^ k1, n + k2);
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    h = mix(h ^ word, k1);
  }
  uint64_t tail = 0;
  if (n > 0) std::memcpy(&tail, p, n);
  return mix(h ^ tail, k2);
}

}  // namespace vagus

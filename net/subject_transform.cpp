#include "net/subject_transform.hpp"

#include "net/options/utf8.hpp"
#include "net/subject.hpp"

#include <charconv>
#include <random>

namespace vagus {

namespace {

/// The rest of `subject` from its token `index` on; empty if it has fewer.
std::string_view from_token(std::string_view subject, size_t index) {
  for (; index > 0; --index) {
    auto dot = subject.find('.');
    if (dot == subject.npos) return {};
    subject.remove_prefix(dot + 1);
  }
  return subject;
}

std::string_view token_at(std::string_view subject, size_t index) {
  auto rest = from_token(subject, index);
  return rest.substr(0, rest.find('.'));
}

void append_number(std::string& out, uint64_t number) {
  char digits[20];
  auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

class fnv1a {
public:
  void add(std::string_view bytes) {
    for (char c : bytes) hash_ = (hash_ ^ static_cast<uint8_t>(c)) * 16777619u;
  }
  uint32_t value() const { return hash_; }

private:
  uint32_t hash_ = 2166136261u;
};

/// Pieces of `size` bytes after a first one of `first`.
void slice(std::string& out, std::string_view token, size_t first, size_t size) {
  out += token.substr(0, first);
  for (size_t i = first; i < token.size(); i += size) {
    out += '.';
    out += token.substr(i, size);
  }
}

void split_characters(std::string& out, std::string_view token) {
  for (bool first = true; !token.empty(); first = false) {
    auto size = decode_utf8(token).size;
    if (!first) out += '.';
    out += token.substr(0, size);
    token.remove_prefix(size);
  }
}

/// No dot stands before an empty piece, nor after an empty first one.
void split(std::string& out, std::string_view token, std::string_view by) {
  if (by.empty()) return split_characters(out, token);
  bool dot_may_follow = !token.starts_with(by);
  for (;;) {
    auto at = token.find(by);
    out += token.substr(0, at);
    if (at == token.npos) return;
    token.remove_prefix(at + by.size());
    bool next_is_empty = token.empty() || token.starts_with(by);
    if (!next_is_empty && dot_may_follow) out += '.';
    dot_may_follow = true;
  }
}

uint64_t random_below(int32_t limit) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  if (limit == 0) return 0;
  auto size = limit < 0 ? -int64_t{limit} : int64_t{limit};
  return random() % static_cast<uint64_t>(size);
}

}  // namespace

bool subject_transform::matches(std::string_view subject) const {
  return subject_matches(source_, subject) && !has_wildcard(subject);
}

std::string subject_transform::apply(std::string_view subject) const {
  std::string result;
  result.reserve(subject.size() + expected_);
  for (size_t i = 0; i < parts_.size(); ++i) {
    append(result, parts_[i], subject);
    if (open_ || i + 1 < parts_.size()) result += '.';
  }
  if (open_) result += from_token(subject, open_token_);
  return result;
}

void subject_transform::append(std::string& out, const part& p, std::string_view subject) const {
  if (p.what == function::text) {
    out += p.text;
    return;
  }
  if (p.what == function::random) return append_number(out, random_below(p.number));
  if (p.what == function::partition) {
    fnv1a hash;
    for (auto index : p.tokens) hash.add(token_at(subject, index));
    if (p.tokens.empty()) hash.add(subject);
    auto buckets = static_cast<uint32_t>(p.number);
    return append_number(out, buckets == 0 ? 0 : hash.value() % buckets);
  }
  auto token = token_at(subject, p.tokens[0]);
  if (p.what == function::split) return split(out, token, p.text);
  auto size = static_cast<size_t>(p.number < 0 ? 0 : p.number);
  if (p.what == function::wildcard || size == 0 || size >= token.size()) {
    out += token;
    return;
  }
  auto remainder = token.size() % size;
  switch (p.what) {
    case function::split_from_left:
      return slice(out, token, size, token.size());
    case function::split_from_right:
      return slice(out, token, token.size() - size, size);
    case function::slice_from_left:
      return slice(out, token, size, size);
    case function::slice_from_right:
      return slice(out, token, remainder == 0 ? size : remainder, size);
    case function::left:
      out += token.substr(0, size);
      return;
    default:
      out += token.substr(token.size() - size);
  }
}

}  // namespace vagus

#include "actors/jetstream/publish_headers.hpp"

#include "net/options/units.hpp"
#include "storage/store_types.hpp"

#include <algorithm>
#include <charconv>

namespace vagus {

namespace {

/// As nats-server: what follows the value belongs to it.
std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

/// Calls `visit(name, value)` for each header line.
template <class F>
void for_each_header(std::string_view block, F&& visit) {
  auto line_end = block.find("\r\n");
  while (line_end != std::string_view::npos) {
    block.remove_prefix(line_end + 2);
    line_end = block.find("\r\n");
    auto line = block.substr(0, line_end);
    auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (!visit(line.substr(0, colon), trimmed(line.substr(colon + 1)))) return;
  }
}

bool same_word(std::string_view text, std::string_view lower_case) {
  return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b; });
}

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

publish_headers::rollup_kind rollup(std::string_view value) {
  using enum publish_headers::rollup_kind;
  if (same_word(value, "sub")) return subject;
  if (same_word(value, "all")) return all;
  return value.empty() ? none : unknown;
}

/// What is no number is a sequence that no message has.
void put(std::optional<uint64_t>& into, std::string_view value) {
  if (!into && !value.empty()) into = number(value).value_or(UINT64_MAX);
}

void put(std::string_view& into, std::string_view value) {
  if (into.empty()) into = value;
}

/// `name` is what follows "Nats-".
void note(publish_headers& h, std::string_view name, std::string_view value) {
  using kind = publish_headers::rollup_kind;
  if (name == "Msg-Id") put(h.msg_id, value);
  if (name == "TTL") put(h.ttl, value);
  if (name == "Rollup" && h.rollup == kind::none) h.rollup = rollup(value);
  if (name == "Stream-Source") h.stream_source |= !value.empty();
  if (name == "Incr") h.increment |= !value.empty();
  if (name == "Batch-Id") h.batch |= !value.empty();
  if (name == "Required-Api-Level") put(h.required_api_level, value);
  if (name == "Schedule") h.schedule |= !value.empty();
  if (!name.starts_with("Expected-")) return;
  name.remove_prefix(9);
  if (name == "Stream") put(h.expected_stream, value);
  if (name == "Last-Msg-Id") put(h.expected_last_msg_id, value);
  if (name == "Last-Sequence") put(h.expected_last_seq, value);
  if (name == "Last-Subject-Sequence") put(h.expected_last_subject_seq, value);
  if (name == "Last-Subject-Sequence-Subject") put(h.expected_subject, value);
}

}  // namespace

publish_headers read_publish_headers(std::string_view block) {
  publish_headers result;
  for_each_header(block, [&](std::string_view name, std::string_view value) {
    if (name.starts_with("Nats-")) note(result, name.substr(5), value);
    return true;
  });
  return result;
}

std::string_view find_header(std::string_view block, std::string_view name) {
  std::string_view found;
  for_each_header(block, [&](std::string_view at, std::string_view value) {
    if (at != name) return true;
    found = value;
    return false;
  });
  return found;
}

std::optional<int64_t> parse_message_ttl(std::string_view text) {
  if (text.empty()) return ttl_none;
  if (same_word(text, "never")) return ttl_never;
  constexpr int64_t second = 1'000'000'000;
  if (text.find_first_not_of("0123456789") == text.npos) {
    auto seconds = number(text);
    if (!seconds || *seconds > INT64_MAX / second) return ttl_never;  // longer than time itself
    if (*seconds == 0) return std::nullopt;
    return static_cast<int64_t>(*seconds) * second;
  }
  auto duration = parse_duration(text);
  if (!duration || duration->count() < second) return std::nullopt;
  return duration->count();
}

}  // namespace vagus

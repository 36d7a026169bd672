#include "actors/jetstream/consumer_requests.hpp"

#include "actors/jetstream/json_fields.hpp"
#include "net/subject.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace vagus {

namespace {

constexpr std::string_view body_space = " \t\r\n\v\f";

std::string_view trimmed_body(std::string_view text) {
  auto from = text.find_first_not_of(body_space);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(body_space) - from + 1);
}

/// As Go's `strconv.Atoi` takes it: all of the text, with a sign if need be.
std::optional<int64_t> whole_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(text.starts_with("+-") ? 0 : 1);
  int64_t number = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <class T>
bool digits_only(std::string_view text, T& to) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), to);
  return problem == std::errc{} && end == text.data() + text.size();
}

struct duration_unit {
  std::string_view name;
  int64_t ns;
};

constexpr duration_unit duration_units[] = {
    {"ns", 1},         {"us", 1'000},        {"µs", 1'000},         {"μs", 1'000},
    {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000},
};

/// Takes `<digits>[.<digits>]<unit>` from the front. Nothing if there is none, or too much.
std::optional<int64_t> take_duration_part(std::string_view& rest) {
  auto digits = [&rest] {
    auto end = rest.find_first_not_of("0123456789");
    auto taken = rest.substr(0, end);
    rest.remove_prefix(taken.size());
    return taken;
  };
  auto whole = digits();
  std::string_view fraction;
  bool point = rest.starts_with('.');
  if (point) rest.remove_prefix(1), fraction = digits();
  if (whole.empty() && fraction.empty()) return std::nullopt;
  auto name = rest.substr(0, rest.find_first_of(".0123456789"));
  rest.remove_prefix(name.size());
  for (const auto& unit : duration_units) {
    if (unit.name != name) continue;
    int64_t count = 0;
    int64_t ns = 0;
    if (!whole.empty() && !digits_only(whole, count)) return std::nullopt;
    if (__builtin_mul_overflow(count, unit.ns, &ns)) return std::nullopt;
    int64_t scale = unit.ns;
    int64_t part = 0;
    for (char c : fraction) part += (scale /= 10) * (c - '0');
    if (__builtin_add_overflow(ns, part, &ns)) return std::nullopt;
    return ns;
  }
  return std::nullopt;
}

ack_body read_nak(std::string_view argument) {
  ack_body body{ack_kind::nak, {}, {}, {}, {}};
  if (argument.empty()) return body;
  if (argument[0] == '{') {
    nak_options options;
    if (read_plain_json(argument, options).empty()) body.delay_ns = options.delay;
  } else {
    body.delay_ns = parse_go_duration(argument);
  }
  if (!body.delay_ns) body.bad_delay = argument;
  return body;
}

}  // namespace

std::optional<int64_t> parse_go_duration(std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  int64_t sum = 0;
  while (!text.empty()) {
    auto part = take_duration_part(text);
    if (!part || __builtin_add_overflow(sum, *part, &sum)) return std::nullopt;
  }
  return negative ? -sum : sum;
}

bool is_json_body(std::string_view body) {
  auto first = body.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (body[first] == '{' || body[first] == '[');
}

bool valid_group_name(std::string_view name) {
  auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '=' || c == '-';
  };
  return !name.empty() && name.size() <= 16 && std::all_of(name.begin(), name.end(), fits);
}

std::optional<api_error> read_unpin_request(std::string_view body, consumer_unpin_request& to) {
  auto problem = read_plain_json(body, to);
  if (problem.empty() && to.group.empty()) problem = "consumer group not specified";
  if (!problem.empty()) return make_error(js_errc::invalid_json, problem);
  if (!valid_group_name(to.group)) return make_error(js_errc::consumer_invalid_group_name);
  return std::nullopt;
}

std::optional<api_error> read_reset_request(std::string_view body, consumer_reset_request& to) {
  if (body.empty()) return std::nullopt;
  auto problem = read_plain_json(body, to);
  if (problem.empty()) return std::nullopt;
  return make_error(js_errc::invalid_json, problem);
}

std::string read_next_request(std::string_view body, next_request& to) {
  to = {};
  to.batch = 1;
  auto text = trimmed_body(body);
  if (text.empty()) return {};
  if (text[0] != '{') {
    to.batch = whole_number(text).value_or(1);
    return {};
  }
  to.batch = 0;
  to.formal = true;
  if (auto problem = read_plain_json(text, to); !problem.empty()) return problem;
  int64_t twice = 0;
  if (to.idle_heartbeat > 0 &&
      (__builtin_mul_overflow(to.idle_heartbeat, int64_t{2}, &twice) || twice > to.expires))
    return "heartbeat value too large";
  return {};
}

ack_body read_ack_body(std::string_view payload) {
  ack_body body;
  if (payload.empty() || payload == "+ACK" || payload == "+OK") {
    body.kind = ack_kind::ack;
  } else if (payload.starts_with("+NXT")) {
    body.kind = ack_kind::next;
    body.next = payload.substr(4);
  } else if (payload.starts_with("-NAK")) {
    body = read_nak(trimmed_body(payload.substr(4)));
  } else if (payload == "+WPI") {
    body.kind = ack_kind::in_progress;
  } else if (payload.starts_with("+TERM")) {
    body.kind = ack_kind::term;
    body.reason = trimmed_body(payload.substr(5));
  }
  return body;
}

std::optional<ack_subject> read_ack_subject(std::string_view subject) {
  std::array<std::string_view, 11> tokens;
  size_t count = 0;
  for (size_t from = 0; from <= subject.size(); ++count) {
    auto end = std::min(subject.find('.', from), subject.size());
    if (count < tokens.size()) tokens[count] = subject.substr(from, end - from);
    from = end + 1;
  }
  if (count != 9 && count < tokens.size()) return std::nullopt;
  if (tokens[0] != "$JS" || tokens[1] != "ACK") return std::nullopt;
  const auto* at = &tokens[count == 9 ? 2 : 4];
  ack_subject ack;
  ack.stream = at[0];
  ack.consumer = at[1];
  if (!digits_only(at[3], ack.stream_seq)) return std::nullopt;
  auto number_or_largest = [](std::string_view text, uint64_t& to) {
    if (!digits_only(text, to) || to == 0) to = std::numeric_limits<uint64_t>::max();
  };
  number_or_largest(at[2], ack.deliveries);
  number_or_largest(at[4], ack.consumer_seq);
  digits_only(at[5], ack.time_ns);
  digits_only(at[6], ack.pending);
  return ack;
}

std::string short_consumer_subject(std::string_view subject) {
  constexpr size_t last_token = 10;  // of an acknowledgement; extensions may follow
  std::string to;
  size_t n = 0;
  token_reader tokens{subject};
  for (std::string_view token; n <= last_token && tokens.next(token); ++n)
    if (n < 2 || n > 3) to.append(n == 0 ? "" : ".").append(token);
  return to;
}

}  // namespace vagus

#include "actors/jetstream/json_reader.hpp"

#include "actors/jetstream/json_text.hpp"
#include "actors/jetstream/rfc3339.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vagus {

namespace {

constexpr size_t max_structures = 10'000;

std::string_view kind_of(char first) {
  switch (first) {
    case '{':
      return "object";
    case '[':
      return "array";
    case '"':
      return "string";
    case 't':
    case 'f':
      return "bool";
    default:
      return "number";
  }
}

template <class T>
constexpr std::string_view element_type = "";
template <>
constexpr std::string_view element_type<std::string> = "string";
template <>
constexpr std::string_view element_type<uint64_t> = "uint64";

}  // namespace

bool json_reader::same_key(std::string_view given, std::string_view lower) {
  return std::equal(given.begin(), given.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b; });
}

std::string json_reader::server_type(std::string_view name) {
  return fmt::format("server.{}", name);
}

bool json_reader::null() {
  if (in_.peek() != 'n') return false;
  in_.raw();
  return true;
}

bool json_reader::fits(char first, std::string_view type) {
  if (null()) return false;
  char c = in_.peek();
  if (c == first) return true;
  in_.raw();
  mismatch(kind_of(c), type);
  return false;
}

void json_reader::mismatch(std::string_view kind, std::string_view type) {
  std::string place;
  for (const auto& s : path_) place += '.' + s.name;
  if (path_.empty())
    error = fmt::format("json: cannot unmarshal {} into Go value of type {}", kind, type);
  else
    error = fmt::format("json: cannot unmarshal {} into {}{}{} of type {}", kind,
                        path_.back().element ? "" : "Go struct field ", root_, place, type);
}

void json_reader::unknown(std::string_view name) {
  if (strict_)
    error = fmt::format("json: unknown field {}", go_printed(name));
  else
    in_.raw();
}

bool json_reader::too_many(size_t elements) {
  if (elements < max_structures) return false;
  error = fmt::format("more than {} elements in {}", max_structures, path_.back().name);
  return true;
}

void json_reader::value(std::string& to) {
  if (fits('"', "string")) to = in_.text();
}

void json_reader::value(bool& to) {
  if (null()) return;
  char c = in_.peek();
  auto text = in_.raw();
  if (c == 't' || c == 'f')
    to = text == "true";
  else
    mismatch(kind_of(c), "bool");
}

template <class T>
void json_reader::number(T& to, std::string_view type) {
  if (null()) return;
  char c = in_.peek();
  auto text = in_.raw();
  auto kind = kind_of(c);
  if (kind != "number") return mismatch(kind, type);
  if (text == "-0") text.remove_prefix(1);
  T read{};
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (problem != std::errc{} || end != text.data() + text.size())
    return mismatch(fmt::format("number {}", text), type);
  to = read;
}

void json_reader::time(std::optional<int64_t>& to) {
  if (in_.peek() == 'n') {
    in_.raw();
    to.reset();
    return;
  }
  if (!fits('"', "time.Time")) return;
  auto parsed = parse_rfc3339(in_.text());
  if (parsed.error.empty())
    to = parsed.time_ns;
  else
    error = std::move(parsed.error);
}

template <class T>
void json_reader::value(std::vector<T>& to) {
  if (null()) return to.clear();
  constexpr bool structure = !peer_type<T>.empty();
  std::string type = "[]" + std::string{element_type<T>};
  // What nats-server keeps by pointer is spelled so.
  if constexpr (structure)
    type = (std::same_as<T, stream_source> ? "[]*" : "[]") + server_type(peer_type<T>);
  if (!fits('[', type)) return;
  to.clear();
  for (in_.enter(); in_.more();) {
    if (structure && too_many(to.size())) return;
    path_.push_back({std::to_string(to.size()), true});
    value(to.emplace_back());
    leave();
    if (!error.empty()) return;
  }
}

template <class T>
void json_reader::value(std::map<std::string, T>& to) {
  if (null()) return to.clear();
  if (!fits('{', fmt::format("map[string]{}", element_type<T>))) return;
  for (in_.enter(); in_.more();) {
    auto name = in_.key();
    path_.push_back({name, false});
    T element{};
    value(element);
    leave();
    if (!error.empty()) return;
    to.insert_or_assign(std::move(name), std::move(element));
  }
}

void json_reader::durations(std::vector<int64_t>& to) {
  if (null()) return to.clear();
  if (!fits('[', "[]time.Duration")) return;
  to.clear();
  for (in_.enter(); in_.more();) {
    path_.push_back({std::to_string(to.size()), true});
    number(to.emplace_back(), "time.Duration");
    leave();
    if (!error.empty()) return;
  }
}

template <class E>
void json_reader::choice(E& to, std::initializer_list<std::pair<std::string_view, E>> texts,
                         std::string_view problem) {
  auto text = in_.raw();
  for (const auto& [name, choice] : texts) {
    if (text != name) continue;
    to = choice;
    return;
  }
  if (problem.empty())
    error = fmt::format("can not unmarshal {}", go_printed(text));
  else
    error = fmt::format("{}{}", problem, text);
}

void json_reader::value(retention_policy& to) {
  choice<retention_policy>(to, {{R"("limits")", retention_policy::limits},
                                {R"("interest")", retention_policy::interest},
                                {R"("workqueue")", retention_policy::workqueue}});
}

void json_reader::value(discard_policy& to) {
  choice<discard_policy>(
      to, {{R"("old")", discard_policy::old_msgs}, {R"("new")", discard_policy::new_msgs}});
}

void json_reader::value(storage_type& to) {
  choice<storage_type>(to,
                       {{R"("file")", storage_type::file}, {R"("memory")", storage_type::memory}});
}

void json_reader::value(persist_mode_type& to) {
  choice<persist_mode_type>(to, {{R"("default")", persist_mode_type::synced},
                                 {R"("")", persist_mode_type::synced},
                                 {R"("async")", persist_mode_type::async}});
}

void json_reader::value(deliver_policy& to) {
  choice<deliver_policy>(to, {{R"("all")", deliver_policy::all},
                              {R"("undefined")", deliver_policy::all},
                              {R"("last")", deliver_policy::last},
                              {R"("last_per_subject")", deliver_policy::last_per_subject},
                              {R"("new")", deliver_policy::new_msgs},
                              {R"("by_start_sequence")", deliver_policy::by_start_sequence},
                              {R"("by_start_time")", deliver_policy::by_start_time}});
}

void json_reader::value(ack_policy& to) {
  choice<ack_policy>(to, {{R"("none")", ack_policy::none},
                          {R"("all")", ack_policy::all},
                          {R"("explicit")", ack_policy::explicit_acks},
                          {R"("flow_control")", ack_policy::flow_control}});
}

void json_reader::value(replay_policy& to) {
  choice<replay_policy>(
      to, {{R"("instant")", replay_policy::instant}, {R"("original")", replay_policy::original}});
}

void json_reader::value(priority_policy& to) {
  choice<priority_policy>(to,
                          {{R"("none")", priority_policy::none},
                           {R"("overflow")", priority_policy::overflow},
                           {R"("pinned_client")", priority_policy::pinned_client},
                           {R"("prioritized")", priority_policy::prioritized}},
                          "unknown priority policy: ");
}

void json_reader::value(consumer_action& to) {
  choice<consumer_action>(to,
                          {{R"("")", consumer_action::create_or_update},
                           {R"("create")", consumer_action::create},
                           {R"("update")", consumer_action::update}},
                          "unknown consumer action: ");
}

// Unlike the others nats-server reads this one as a text of its own.
void json_reader::value(compression_type& to) {
  std::string text;
  auto outside = std::exchange(path_, {});
  value(text);
  path_ = std::move(outside);
  if (!error.empty()) return;
  if (text == "none")
    to = compression_type::none;
  else if (text == "s2")
    to = compression_type::s2;
  else
    error = "unknown compression algorithm";
}

namespace {

/// All the values of a text, one after the other into the same object, as a stream decoder does.
template <class T>
std::string read_values(std::string_view text, T& to) {
  for (size_t at = skip_json_space(text, 0); at < text.size();) {
    auto scanned = scan_json(text, at);
    if (scanned.ended_early) return scanned.error;
    if (!scanned.error.empty())
      return fmt::format("{} at offset {}", scanned.error, scanned.offset);
    json_source in{text, at};
    json_reader reader{in, peer_type<T>, true};
    reader.object(to);
    if (!reader.error.empty()) return reader.error;
    at = skip_json_space(text, scanned.end);
  }
  return {};
}

/// The one value that a text is.
template <class T>
std::string read_leniently(std::string_view text, std::string_view root, T& to) {
  size_t at = skip_json_space(text, 0);
  auto scanned = scan_json(text, at);
  if (scanned.ended_early) return "unexpected end of JSON input";
  if (!scanned.error.empty()) return scanned.error;
  auto rest = text.substr(skip_json_space(text, scanned.end));
  if (!rest.empty())
    return fmt::format("invalid character {} after top-level value", printed_character(rest));
  json_source in{text, at};
  json_reader reader{in, root, false};
  reader.object(to);
  return reader.error;
}

}  // namespace

template <class T>
std::optional<api_error> read_json(std::string_view text, bool strict, T& to) {
  auto error = read_values(text, to);
  if (!error.empty() && !strict) error = read_leniently(text, peer_type<T>, to);
  if (error.empty()) return std::nullopt;
  return make_error(js_errc::invalid_json, error);
}

template <class T>
std::string read_plain_json(std::string_view text, T& to) {
  // Go does not find the name of the type behind two pointers.
  return read_leniently(text, std::same_as<T, next_request> ? "" : peer_type<T>, to);
}

template std::string read_plain_json(std::string_view, next_request&);
template std::string read_plain_json(std::string_view, nak_options&);
template std::string read_plain_json(std::string_view, consumer_unpin_request&);
template std::string read_plain_json(std::string_view, consumer_reset_request&);
template std::optional<api_error> read_json(std::string_view, bool, consumer_request&);
template std::optional<api_error> read_json(std::string_view, bool, consumer_config&);
template std::optional<api_error> read_json(std::string_view, bool, consumers_request&);
template std::optional<api_error> read_json(std::string_view, bool, consumer_pause_request&);
template std::optional<api_error> read_json(std::string_view, bool, consumer_unpin_request&);
template std::optional<api_error> read_json(std::string_view, bool, stream_request&);
template std::optional<api_error> read_json(std::string_view, bool, stream_config&);
template std::optional<api_error> read_json(std::string_view, bool, stream_info_request&);
template std::optional<api_error> read_json(std::string_view, bool, stream_names_request&);
template std::optional<api_error> read_json(std::string_view, bool, stream_list_request&);
template std::optional<api_error> read_json(std::string_view, bool, stream_purge_request&);
template std::optional<api_error> read_json(std::string_view, bool, msg_get_request&);
template std::optional<api_error> read_json(std::string_view, bool, msg_delete_request&);
template std::optional<api_error> read_json(std::string_view, bool, stream_snapshot_request&);
template std::optional<api_error> read_json(std::string_view, bool, stream_restore_request&);

bool is_empty_request(std::string_view text) {
  auto trim = [&] {
    auto first = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    text.remove_prefix(first);
    text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  };
  if (text.empty()) return true;
  trim();
  if (!text.starts_with('{') || !text.ends_with('}') || text.size() < 2) return false;
  text = text.substr(1, text.size() - 2);
  trim();
  return text.empty();
}

}  // namespace vagus

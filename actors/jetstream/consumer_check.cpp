#include "actors/jetstream/consumer_check.hpp"

#include "actors/jetstream/consumer_defaults.hpp"
#include "actors/jetstream/consumer_filters.hpp"
#include "actors/jetstream/json_text.hpp"
#include "actors/jetstream/metadata.hpp"
#include "actors/jetstream/rfc3339.hpp"
#include "actors/jetstream/subjects_check.hpp"
#include "net/subject.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vagus {

namespace {

using consumer_problem = std::optional<api_error>;

constexpr int64_t ms_ns = 1'000'000;
constexpr int64_t ephemeral_threshold = 5'000 * ms_ns;
constexpr size_t max_consumer_name = 255;
constexpr size_t max_consumer_description = 4 * 1024;
constexpr size_t max_consumer_metadata = 128 * 1024;

consumer_problem bad_config(std::string_view text) {
  return make_error(js_errc::stream_invalid_config, text);
}

consumer_problem above_limit(js_errc what, int64_t limit) {
  return make_error(what, {{"limit", std::to_string(limit)}});
}

bool asset_name(std::string_view name) {
  return name.find_first_of(" \t\r\n\f.*>\\/") == std::string_view::npos;
}

int consumer_level(const consumer_config& c) {
  bool paused = c.pause_until && *c.pause_until != zero_time;
  bool groups = c.priority_policy != priority_policy::none || c.priority_timeout != 0 ||
                !c.priority_groups.empty();
  return paused || groups ? 1 : 0;
}

consumer_problem check_names(const consumer_config& c) {
  if (!asset_name(c.name))
    return bad_config(R"(consumer name can not contain '.', '*', '>', '\', '/')");
  if (!asset_name(c.durable_name))
    return bad_config(R"(consumer durable name can not contain '.', '*', '>', '\', '/')");
  return std::nullopt;
}

/// What vagus does not have is said by name, rather than kept and not done.
consumer_problem check_absent_parts(const consumer_config& c) {
  const std::pair<bool, std::string_view> parts[] = {
      {c.sourcing, "sourcing"},
      {c.ack_policy == ack_policy::flow_control, "ack_policy flow_control"},
  };
  for (const auto& [asked, name] : parts)
    if (asked)
      return make_error(js_errc::consumer_create,
                        fmt::format("{} is not supported by this server", name));
  return std::nullopt;
}

consumer_problem check_copies(const consumer_config& c, const stream_config& stream) {
  if (c.num_replicas > 0 && c.num_replicas > stream.num_replicas)
    return make_error(js_errc::consumer_replicas_exceeds_stream);
  if (c.num_replicas < 0) return make_error(js_errc::replicas_count_cannot_be_negative);
  if (stream.retention != retention_policy::limits && c.num_replicas != 0 &&
      c.num_replicas != stream.num_replicas)
    return make_error(js_errc::consumer_replicas_should_match_stream);
  return std::nullopt;
}

consumer_problem check_acks(const consumer_config& c) {
  if (std::any_of(c.backoff.begin(), c.backoff.end(), [](int64_t b) { return b < 0; }))
    return make_error(js_errc::consumer_back_off_negative);
  if (c.ack_wait < 0) return make_error(js_errc::consumer_ack_wait_negative);
  if (c.max_deliver != -1 && static_cast<int64_t>(c.backoff.size()) > c.max_deliver &&
      !c.backoff.empty())
    return make_error(js_errc::consumer_max_deliver_backoff);
  if (c.description.size() > max_consumer_description)
    return make_error(js_errc::consumer_description_too_long,
                      {{"max", std::to_string(max_consumer_description)}});
  return std::nullopt;
}

consumer_problem check_push(const consumer_config& c, const stream_config& stream) {
  if (has_wildcard(c.deliver_subject)) return make_error(js_errc::consumer_deliver_to_wildcards);
  if (!valid_subject(c.deliver_subject))
    return make_error(js_errc::consumer_invalid_deliver_subject);
  for (const auto& subject : stream.subjects)
    if (subject_covers(subject, c.deliver_subject))
      return make_error(js_errc::consumer_deliver_cycle);
  if (c.max_waiting != 0) return make_error(js_errc::consumer_push_max_waiting);
  if (c.max_ack_pending > 0 && c.ack_policy == ack_policy::none)
    return make_error(js_errc::consumer_max_pending_ack_policy_required);
  if (c.idle_heartbeat > 0 && c.idle_heartbeat < 100 * ms_ns)
    return make_error(js_errc::consumer_small_heartbeat);
  return std::nullopt;
}

consumer_problem check_pull(const consumer_config& c, const stream_config& stream,
                            const consumer_bounds& bounds) {
  if (c.ack_policy == ack_policy::none && stream.retention == retention_policy::workqueue)
    return make_error(js_errc::consumer_pull_requires_ack);
  if (c.rate_limit_bps > 0) return make_error(js_errc::consumer_pull_with_rate_limit);
  if (c.idle_heartbeat > 0) return make_error(js_errc::consumer_hb_requires_push);
  if (c.flow_control) return make_error(js_errc::consumer_fc_requires_push);
  if (c.max_expires != 0 && c.max_expires < ms_ns)
    return make_error(js_errc::consumer_max_request_expires_too_small);
  if (bounds.max_request_batch > 0 && c.max_batch > bounds.max_request_batch)
    return above_limit(js_errc::consumer_max_request_batch_exceeded, bounds.max_request_batch);
  return std::nullopt;
}

consumer_problem check_bounds(const consumer_config& c, const stream_config& stream,
                              const consumer_bounds& bounds) {
  for (int64_t most : {bounds.max_ack_pending, bounds.account_max_ack_pending,
                       stream.consumer_limits.max_ack_pending})
    if (most > 0 && c.max_ack_pending > most)
      return above_limit(js_errc::consumer_max_pending_ack_excess, most);
  auto longest = stream.consumer_limits.inactive_threshold;
  if (longest > 0 && c.inactive_threshold > longest)
    return make_error(js_errc::consumer_inactive_threshold_excess,
                      {{"limit", go_duration(longest)}});
  if (c.direct && !c.push()) return make_error(js_errc::consumer_direct_requires_push);
  if (c.direct && c.durable()) return make_error(js_errc::consumer_direct_requires_ephemeral);
  return std::nullopt;
}

struct start_rule {
  deliver_policy policy;
  std::string_view name;
  bool seq = false;     ///< needs `opt_start_seq`
  bool time = false;    ///< needs `opt_start_time`
  bool filter = false;  ///< needs a filter
};

constexpr start_rule start_rules[] = {
    {deliver_policy::all, "all"},
    {deliver_policy::last, "last"},
    {deliver_policy::last_per_subject, "last per subject", false, false, true},
    {deliver_policy::new_msgs, "new"},
    {deliver_policy::by_start_sequence, "by start sequence", true},
    {deliver_policy::by_start_time, "by start time", false, true},
};

consumer_problem check_start(const consumer_config& c) {
  const auto& rule = *std::find_if(std::begin(start_rules), std::end(start_rules),
                                   [&c](const auto& r) { return r.policy == c.deliver_policy; });
  std::string text;
  auto also_set = [&](std::string_view start) {
    text = fmt::format("consumer delivery policy is deliver {}, but optional start {} is also set",
                       rule.name, start);
  };
  auto not_set = [&](std::string_view what) {
    text = fmt::format("consumer delivery policy is deliver {}, but optional {} is not set",
                       rule.name, what);
  };
  bool filtered = !c.filter_subject.empty() || !c.filter_subjects.empty();
  if (rule.seq && c.opt_start_seq == 0)
    not_set("start sequence");
  else if (rule.time && !c.opt_start_time)
    not_set("start time");
  else if (!rule.seq && c.opt_start_seq > 0)
    also_set(rule.time ? "start sequence" : "sequence");
  else if (!rule.time && c.opt_start_time)
    also_set("time");
  else if (rule.filter && !filtered)
    not_set("filter subject");
  if (text.empty()) return std::nullopt;
  return make_error(js_errc::consumer_invalid_policy, text);
}

consumer_problem check_sampling(const consumer_config& c) {
  if (c.sample_freq.empty()) return std::nullopt;
  std::string_view text = c.sample_freq;
  if (text.ends_with('%')) text.remove_suffix(1);
  auto digits = text;
  if (digits.starts_with('+') || digits.starts_with('-')) digits.remove_prefix(1);
  std::string problem;
  bool number = !digits.empty() && digits.find_first_not_of("0123456789") == std::string::npos;
  if (!number)
    problem = "invalid syntax";
  else if (int64_t n = 0;
           std::from_chars(digits.data(), digits.data() + digits.size(), n).ec != std::errc{})
    problem = "value out of range";
  else if (text.starts_with('-') && n > 0)
    return make_error(js_errc::consumer_invalid_sampling, "<nil>");
  if (problem.empty()) return std::nullopt;
  return make_error(js_errc::consumer_invalid_sampling,
                    fmt::format("strconv.Atoi: parsing {}: {}", go_printed(text), problem));
}

consumer_problem check_metadata(const consumer_config& c) {
  if (c.durable() && !c.name.empty() && c.name != c.durable_name)
    return make_error(js_errc::consumer_create_durable_and_name_mismatch);
  size_t size = 0;
  for (const auto& [key, value] : c.metadata) size += key.size() + value.size();
  if (size > max_consumer_metadata)
    return make_error(js_errc::consumer_metadata_length,
                      {{"limit", fmt::format("{}KB", max_consumer_metadata / 1024)}});
  return std::nullopt;
}

consumer_problem check_groups(const consumer_config& c) {
  if (c.priority_policy == priority_policy::none) {
    if (!c.priority_groups.empty())
      return make_error(js_errc::consumer_priority_group_with_policy_none);
    if (c.priority_timeout > 0)
      return make_error(js_errc::consumer_pinned_ttl_without_priority_policy_none);
    return std::nullopt;
  }
  if (c.push()) return make_error(js_errc::consumer_push_with_priority_group);
  if (c.priority_groups.empty()) return make_error(js_errc::consumer_priority_policy_without_group);
  for (const auto& group : c.priority_groups) {
    if (group.empty()) return make_error(js_errc::consumer_empty_group_name);
    if (!valid_group_name(group)) return make_error(js_errc::consumer_invalid_group_name);
  }
  return std::nullopt;
}

bool unique_in_workqueue(const consumer_config& c, const other_consumers& others) {
  auto filters = c.filters();
  for (const auto* other : others.configs) {
    auto theirs = other->filters();
    if (theirs.empty() && !filters.empty()) return false;
    if (subjects_overlap(filters, theirs)) return false;
  }
  return true;
}

void set_threshold(consumer_config& c, bool durable) {
  if (!durable && c.inactive_threshold <= 0) c.inactive_threshold = ephemeral_threshold;
}

/// What may not change, in the order in which it is looked at.
std::string_view fixed_part(const consumer_config& old, const consumer_config& next) {
  if (old.deliver_policy != next.deliver_policy) return "deliver policy";
  if (old.mem_storage != next.mem_storage) return "storage type";
  if (old.direct != next.direct) return "direct";
  if (old.opt_start_seq != next.opt_start_seq) return "start sequence";
  if (old.opt_start_time != next.opt_start_time) return "start time";
  if (old.ack_policy != next.ack_policy) return "ack policy";
  if (old.replay_policy != next.replay_policy) return "replay policy";
  if (old.idle_heartbeat != next.idle_heartbeat) return "heart beats";
  if (old.flow_control != next.flow_control) return "flow control";
  return {};
}

consumer_problem check_consumer_changes(const consumer_config& old, const consumer_config& next,
                                        bool bound) {
  if (auto part = fixed_part(old, next); !part.empty())
    return make_error(js_errc::consumer_create, fmt::format("{} can not be updated", part));
  if (old.deliver_subject != next.deliver_subject) {
    if (!old.push())
      return make_error(js_errc::consumer_create, "can not update pull consumer to push based");
    if (!next.push())
      return make_error(js_errc::consumer_create, "can not update push consumer to pull based");
    if (bound) return make_error(js_errc::consumer_name_exist);
  }
  if (old.max_waiting != next.max_waiting)
    return make_error(js_errc::consumer_create, "max waiting can not be updated");
  return std::nullopt;
}

}  // namespace

std::optional<create_subject> read_create_subject(std::string_view rest) {
  token_reader tokens{rest};
  create_subject subject;
  std::string_view word;
  if (!tokens.next(word)) return std::nullopt;
  if (word == "DURABLE") {
    subject.form = create_form::durable;
    tokens.next(word);
  }
  if (word != "CREATE" || !tokens.next(subject.stream)) return std::nullopt;
  if (tokens.next(subject.consumer)) {
    if (subject.form == create_form::unnamed) subject.form = create_form::named;
    auto end = static_cast<size_t>(subject.consumer.data() - rest.data()) + subject.consumer.size();
    if (end < rest.size()) subject.filter = rest.substr(end + 1);
  }
  if (subject.form == create_form::durable && (subject.consumer.empty() || !subject.filter.empty()))
    return std::nullopt;
  return subject;
}

consumer_problem check_consumer_request(consumer_request& request, const create_subject& subject) {
  auto& c = request.config;
  auto name = subject.form == create_form::unnamed ? std::string_view{c.name} : subject.consumer;
  if (subject.stream != request.stream_name) return make_error(js_errc::stream_mismatch);
  if (name.find_first_of("\\/") != std::string_view::npos)
    return make_error(js_errc::consumer_name_contains_path_separators);
  if (subject.form == create_form::durable && !c.durable())
    return make_error(js_errc::consumer_durable_name_not_set);
  if (subject.form != create_form::unnamed) {
    if (c.durable() && name != c.durable_name)
      return make_error(js_errc::consumer_durable_name_not_match_subject);
    c.name = name;
  } else if (c.durable()) {
    return make_error(js_errc::consumer_ephemeral_with_durable_name);
  }
  if (!subject.filter.empty() && !c.filter_subjects.empty())
    return make_error(js_errc::consumer_multiple_filters_not_allowed);
  if (!subject.filter.empty() && c.filter_subject != subject.filter)
    return make_error(js_errc::consumer_create_filter_subject_mismatch);
  if (c.num_replicas > 1) return make_error(js_errc::stream_replicas_not_supported);
  return std::nullopt;
}

consumer_problem check_consumer_config(consumer_config& config, const stream_config& stream,
                                       const consumer_bounds& bounds, bool pedantic) {
  // What the server adds counts for the size of the metadata.
  set_static_metadata(config.metadata, consumer_level(config));
  if (auto p = check_absent_parts(config)) return p;
  if (auto p = set_consumer_defaults(config, stream, bounds, pedantic)) return p;
  if (auto p = check_names(config)) return p;
  if (auto p = check_copies(config, stream)) return p;
  if (auto p = check_acks(config)) return p;
  if (auto p = config.push() ? check_push(config, stream) : check_pull(config, stream, bounds))
    return p;
  if (auto p = check_bounds(config, stream, bounds)) return p;
  if (auto p = check_consumer_filters(config)) return p;
  if (auto p = check_start(config)) return p;
  if (auto p = check_sampling(config)) return p;
  if (config.flow_control && config.idle_heartbeat == 0)
    return make_error(js_errc::consumer_with_flow_control_needs_heartbeats);
  if (auto p = check_metadata(config)) return p;
  return check_groups(config);
}

consumer_problem check_stored_consumer(consumer_config& config, std::string_view name) {
  if (config.name != name || name.empty() || name.size() > max_consumer_name)
    return bad_config("it is stored under another name than its own");
  stream_config any;
  any.num_replicas = 1;
  return check_consumer_config(config, any, {}, false);
}

consumer_problem check_new_consumer(consumer_config& config, const stream_config& stream,
                                    const consumer_bounds& bounds, consumer_action action,
                                    const other_consumers& others) {
  if (action == consumer_action::update) return make_error(js_errc::consumer_does_not_exist);
  auto most = stream.max_consumers;
  auto account = bounds.account_max_consumers;
  if (most <= 0 || (account > 0 && account < most)) most = account;
  if (most <= 0) most = bounds.default_max_consumers;
  if (most > 0 && others.count >= static_cast<size_t>(most))
    return make_error(js_errc::maximum_consumers_limit);
  if (stream.retention == retention_policy::workqueue && !config.direct) {
    if (config.ack_policy != ack_policy::explicit_acks)
      return make_error(js_errc::consumer_wq_requires_explicit_ack);
    if (config.deliver_policy != deliver_policy::all)
      return make_error(js_errc::consumer_wq_consumer_not_deliver_all);
    if (others.count > 0 && config.filters().empty())
      return make_error(js_errc::consumer_wq_multiple_unfiltered);
    if (!unique_in_workqueue(config, others))
      return make_error(js_errc::consumer_wq_consumer_not_unique);
  }
  if (std::max(config.durable_name.size(), config.name.size()) > max_consumer_name)
    return make_error(js_errc::consumer_name_too_long,
                      {{"max", std::to_string(max_consumer_name)}});
  set_threshold(config, config.durable());
  return std::nullopt;
}

consumer_problem check_consumer_update(const consumer_config& old, consumer_config& next,
                                       const stream_config& stream, consumer_action action,
                                       const other_consumers& others, bool bound) {
  if (action == consumer_action::create) {
    if (!same_config(next, old)) return make_error(js_errc::consumer_already_exists);
    next = old;
  }
  if (stream.retention == retention_policy::workqueue && !unique_in_workqueue(next, others))
    return make_error(js_errc::consumer_wq_consumer_not_unique);
  if (auto p = check_consumer_changes(old, next, bound)) return p;
  // What it was decides: an ephemeral consumer that becomes durable keeps a threshold.
  if (next.inactive_threshold != old.inactive_threshold) set_threshold(next, old.durable());
  return std::nullopt;
}

void set_pause(consumer_config& config, std::optional<int64_t> until) {
  config.pause_until = until == zero_time ? std::nullopt : until;
  set_static_metadata(config.metadata, consumer_level(config));
}

bool same_config(const consumer_config& requested, const consumer_config& existing) {
  auto adjusted = requested;
  copy_static_metadata(adjusted.metadata, existing.metadata);
  return adjusted == existing;
}

}  // namespace vagus

#include "actors/jetstream/sources_check.hpp"

#include "actors/jetstream/json_text.hpp"
#include "net/subject.hpp"
#include "net/subject_transform.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

namespace vagus {

namespace {

using problem = std::optional<api_error>;

/// What is said of a mirror, and what of a source.
struct texts {
  std::string_view member;
  js_errc bad_name;
  js_errc filter_and_transforms;
  js_errc bad_filter;
  js_errc bad_destination;
  js_errc overlap;
  js_errc message_size;
  js_errc bad_consumer;
};

constexpr texts of_mirror{"mirror",
                          js_errc::mirror_invalid_stream_name,
                          js_errc::mirror_multiple_filters_not_allowed,
                          js_errc::mirror_invalid_subject_filter,
                          js_errc::mirror_invalid_transform_destination,
                          js_errc::mirror_overlapping_subject_filters,
                          js_errc::mirror_max_message_size_too_big,
                          js_errc::mirror_durable_consumer_cfg_invalid};
constexpr texts of_source{"sources",
                          js_errc::source_invalid_stream_name,
                          js_errc::source_multiple_filters_not_allowed,
                          js_errc::source_invalid_subject_filter,
                          js_errc::source_invalid_transform_destination,
                          js_errc::source_overlapping_subject_filters,
                          js_errc::source_max_message_size_too_big,
                          js_errc::source_durable_consumer_cfg_invalid};

problem invalid_config(std::string_view text) {
  return make_error(js_errc::stream_invalid_config, text);
}

bool valid_name(std::string_view name) {
  return !name.empty() && name.find_first_of(" \t\r\n\f.*>/\\") == std::string_view::npos;
}

problem check_filter_alone(const stream_source& s, const texts& say) {
  if (s.filter_subject.empty() || s.subject_transforms.empty()) return std::nullopt;
  return make_error(say.filter_and_transforms);
}

problem check_transforms(const stream_source& s, const texts& say) {
  const auto& all = s.subject_transforms;
  for (size_t i = 0; i < all.size(); ++i) {
    const auto& [src, dest] = all[i];
    if (!src.empty() && !valid_subject(src))
      return make_error(say.bad_filter, fmt::format("invalid subject {}", src));
    auto made = subject_transform::make(src, dest);
    if (auto* failed = std::get_if<transform_failure>(&made))
      return make_error(say.bad_destination, failed->text);
    for (size_t j = 0; j < all.size(); ++j)
      if (i != j && subjects_overlap(src, all[j].src)) return make_error(say.overlap);
  }
  return std::nullopt;
}

/// A consumer at the origin that is made beforehand: its configuration is checked, but there is
/// nobody here who would use it.
problem check_consumer(const stream_source& s, const texts& say) {
  if (!s.consumer) return std::nullopt;
  bool subject =
      !s.consumer->deliver_subject.empty() && valid_literal_subject(s.consumer->deliver_subject);
  if (!subject || !valid_name(s.consumer->name) || !s.filter_subject.empty() ||
      s.opt_start_seq > 0 || s.opt_start_time)
    return make_error(say.bad_consumer);
  return std::nullopt;
}

/// What is known of an origin, as long as it is in this account.
problem check_origin(const stream_config& c, const stream_config* origin, const texts& say) {
  bool smaller = origin != nullptr && c.max_msg_size > 0 && origin->max_msg_size > 0 &&
                 c.max_msg_size < origin->max_msg_size;
  return smaller ? problem{make_error(say.message_size)} : std::nullopt;
}

/// Finds cycles breadth first, from one stream to its origins.
bool in_cycle(const stream_config& start, const stream_lookup& find) {
  std::set<std::string_view> visited;
  std::deque<const stream_config*> ahead{&start};
  // A filter for what the stream has no subject for cannot bring its own messages back.
  auto returns = [](const stream_config& c, const stream_source& s) {
    return s.filter_subject.empty() ||
           std::any_of(c.subjects.begin(), c.subjects.end(), [&](const auto& subject) {
             return subjects_overlap(subject, s.filter_subject);
           });
  };
  while (!ahead.empty()) {
    const auto& c = *ahead.front();
    ahead.pop_front();
    visited.insert(c.name);
    auto closes = [&](const stream_source& s, bool filtered) {
      if (s.external) return false;
      if (visited.contains(s.name)) return !filtered || returns(c, s);
      if (const auto* origin = find(s.name)) ahead.push_back(origin);
      return false;
    };
    for (const auto& s : c.sources)
      if (closes(s, true)) return true;
    if (c.mirror && closes(*c.mirror, false)) return true;
  }
  return false;
}

/// One run over a configuration, in nats-server's order.
class sources_check {
public:
  sources_check(stream_config& config, const stream_lookup& find, bool pedantic)
      : config_{config}, find_{find ? find : no_streams}, pedantic_{pedantic} {}

  problem run() {
    if (config_.mirror)
      if (auto p = check_mirror(*config_.mirror)) return p;
    for (const auto& s : config_.sources)
      if (auto p = check_source(s)) return p;
    if (auto p = check_prefixes()) return p;
    if (in_cycle(config_, find_)) return invalid_config("detected cycle");
    return std::nullopt;
  }

private:
  static const stream_config* no_streams(std::string_view) { return nullptr; }

  problem check_mirror(const stream_source& m) {
    if (config_.first_seq > 0) return make_error(js_errc::mirror_with_first_seq);
    if (!config_.subjects.empty()) return make_error(js_errc::mirror_with_subjects);
    if (!config_.sources.empty()) return make_error(js_errc::mirror_with_sources);
    if (auto p = check_consumer(m, of_mirror)) return p;
    if (auto p = check_filter_alone(m, of_mirror)) return p;
    if (config_.subject_delete_marker_ttl > 0)
      return invalid_config("subject delete markers forbidden on mirrors");
    if (auto p = check_transforms(m, of_mirror)) return p;
    if (m.external) return note_prefixes(*m.external);
    if (!valid_name(m.name)) return make_error(of_mirror.bad_name);
    const auto* origin = find_(m.name);
    if (origin == nullptr) return std::nullopt;
    note_subjects(*origin);
    if (auto p = check_origin(config_, origin, of_mirror)) return p;
    if (pedantic_ && config_.mirror_direct != origin->allow_direct)
      return make_error(js_errc::pedantic,
                        "origin stream has direct get set, mirror has it disabled");
    config_.mirror_direct = origin->allow_direct;
    return std::nullopt;
  }

  problem check_source(const stream_source& s) {
    if (!valid_name(s.name)) return make_error(of_source.bad_name);
    auto name = source_name(s);
    if (s.consumer) name += " " + s.consumer->name;
    if (!names_.insert(name).second) return make_error(js_errc::source_duplicate_detected);
    if (auto p = check_filter_alone(s, of_source)) return p;
    if (auto p = check_transforms(s, of_source)) return p;
    if (auto p = check_consumer(s, of_source)) return p;
    if (s.external) return note_prefixes(*s.external);
    const auto* origin = find_(s.name);
    if (origin == nullptr) return std::nullopt;
    note_subjects(*origin);
    return check_origin(config_, origin, of_source);
  }

  problem note_prefixes(const external_stream& external) {
    if (!external.deliver.empty()) deliver_.push_back(external.deliver);
    if (!external.api.empty()) api_.push_back(external.api);
    return std::nullopt;
  }

  void note_subjects(const stream_config& origin) {
    subjects_.insert(subjects_.end(), origin.subjects.begin(), origin.subjects.end());
  }

  problem check_prefixes() const {
    for (const auto& prefix : deliver_) {
      if (!valid_literal_subject(prefix))
        return make_error(js_errc::stream_invalid_external_delivery_subj, {{"prefix", prefix}});
      for (const auto& subject : subjects_)
        if (subjects_overlap(subject, fmt::format("{}.{}", prefix, subject)))
          return make_error(js_errc::stream_external_del_prefix_overlaps,
                            {{"prefix", prefix}, {"subject", subject}});
    }
    for (const auto& prefix : api_) {
      if (!valid_literal_subject(prefix))
        return invalid_config(
            fmt::format("stream external api prefix {} must be a valid subject without wildcards",
                        go_printed(prefix)));
      if (prefix == "$JS.API")
        return make_error(js_errc::stream_external_api_overlap,
                          {{"prefix", prefix}, {"subject", "$JS.API"}});
    }
    return std::nullopt;
  }

  stream_config& config_;
  stream_lookup find_;
  bool pedantic_;
  std::set<std::string> names_;
  std::vector<std::string> deliver_;
  std::vector<std::string> api_;
  std::vector<std::string> subjects_;  ///< of the origins in this account
};

problem check_filter(const stream_source& s, std::string_view of) {
  if (s.filter_subject.empty() || valid_subject(s.filter_subject)) return std::nullopt;
  return make_error(
      js_errc::stream_create,
      fmt::format("subject filter '{}' for the {} invalid subject", s.filter_subject, of));
}

problem check_absent_consumer(const stream_source& s, const texts& say) {
  if (!s.consumer) return std::nullopt;
  return invalid_config(fmt::format("consumer of {} is not supported by this server", say.member));
}

}  // namespace

problem check_sources(stream_config& config, const stream_lookup& find, bool pedantic) {
  return sources_check{config, find, pedantic}.run();
}

problem check_source_filters(const stream_config& c) {
  if (c.mirror) {
    if (auto p = check_filter(*c.mirror, "mirror")) return p;
    if (auto p = check_absent_consumer(*c.mirror, of_mirror)) return p;
  }
  for (const auto& s : c.sources) {
    if (auto p = check_filter(s, "source:")) return p;
    if (auto p = check_absent_consumer(s, of_source)) return p;
  }
  return std::nullopt;
}

}  // namespace vagus

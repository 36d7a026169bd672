#include "actors/jetstream/sources_check.hpp"

#include "net/subject.hpp"
#include "net/subject_transform.hpp"

#include <fmt/format.h>

#include <set>

namespace vagus {

namespace {

using problem = std::optional<api_error>;

/// What is said of a mirror, and what of a source.
struct texts {
  js_errc bad_name;
  js_errc filter_and_transforms;
  js_errc bad_filter;
  js_errc bad_destination;
  js_errc overlap;
  js_errc message_size;
};

constexpr texts of_mirror{
    js_errc::mirror_invalid_stream_name,         js_errc::mirror_multiple_filters_not_allowed,
    js_errc::mirror_invalid_subject_filter,      js_errc::mirror_invalid_transform_destination,
    js_errc::mirror_overlapping_subject_filters, js_errc::mirror_max_message_size_too_big};
constexpr texts of_source{
    js_errc::source_invalid_stream_name,         js_errc::source_multiple_filters_not_allowed,
    js_errc::source_invalid_subject_filter,      js_errc::source_invalid_transform_destination,
    js_errc::source_overlapping_subject_filters, js_errc::source_max_message_size_too_big};

bool valid_stream_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 &&
         name.find_first_of(" \t\r\n\f.*>") == std::string_view::npos;
}

problem check_transforms(const stream_source& s, const texts& say) {
  if (!s.filter_subject.empty() && !s.subject_transforms.empty())
    return make_error(say.filter_and_transforms);
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

problem check_mirror(const stream_config& c) {
  const auto& m = *c.mirror;
  if (c.first_seq > 0) return make_error(js_errc::mirror_with_first_seq);
  if (!c.subjects.empty()) return make_error(js_errc::mirror_with_subjects);
  if (!c.sources.empty()) return make_error(js_errc::mirror_with_sources);
  if (auto p = check_transforms(m, of_mirror)) return p;
  if (!m.external && !valid_stream_name(m.name)) return make_error(of_mirror.bad_name);
  return std::nullopt;
}

problem check_filter(const stream_source& s, std::string_view of) {
  if (s.filter_subject.empty() || valid_subject(s.filter_subject)) return std::nullopt;
  return make_error(
      js_errc::stream_create,
      fmt::format("subject filter '{}' for the {} invalid subject", s.filter_subject, of));
}

problem check_consumer_member(const stream_source& s, js_errc what) {
  if (!s.consumer) return std::nullopt;
  return make_error(what);
}

problem check_size(const stream_config& c, const stream_source& s, const texts& say,
                   const stream_lookup& find) {
  if (s.external) return std::nullopt;
  const auto* origin = find(s.name);
  bool smaller = origin != nullptr && c.max_msg_size > 0 && origin->max_msg_size > 0 &&
                 c.max_msg_size < origin->max_msg_size;
  return smaller ? std::optional{make_error(say.message_size)} : std::nullopt;
}

}  // namespace

problem check_sources(const stream_config& c) {
  if (c.mirror) {
    if (auto p = check_mirror(c)) return p;
    if (auto p = check_consumer_member(*c.mirror, js_errc::mirror_durable_consumer_cfg_invalid))
      return p;
  }
  std::set<std::string> names;
  for (const auto& s : c.sources) {
    if (!valid_stream_name(s.name)) return make_error(of_source.bad_name);
    if (!names.insert(source_name(s)).second) return make_error(js_errc::source_duplicate_detected);
    if (auto p = check_transforms(s, of_source)) return p;
    if (auto p = check_consumer_member(s, js_errc::source_durable_consumer_cfg_invalid)) return p;
  }
  if (c.mirror) return check_filter(*c.mirror, "mirror");
  for (const auto& s : c.sources)
    if (auto p = check_filter(s, "source:")) return p;
  return std::nullopt;
}

problem check_origins(stream_config& c, const stream_lookup& find) {
  if (c.mirror) {
    if (auto p = check_size(c, *c.mirror, of_mirror, find)) return p;
    if (const auto* origin = c.mirror->external ? nullptr : find(c.mirror->name))
      c.mirror_direct = origin->allow_direct;
  }
  for (const auto& s : c.sources)
    if (auto p = check_size(c, s, of_source, find)) return p;
  return std::nullopt;
}

std::string source_name(const stream_source& s) {
  std::string name = s.name;
  if (s.external) name += fmt::format(":{:08x}", hash_bytes(s.external->api) & 0xffffffff);
  auto or_all = [](const std::string& subject) {
    return subject.empty() ? std::string{">"} : subject;
  };
  if (s.subject_transforms.empty()) return fmt::format("{} {} >", name, or_all(s.filter_subject));
  std::string filters, destinations;
  for (const auto& t : s.subject_transforms) {
    if (!filters.empty()) filters += '\f', destinations += '\f';
    filters += or_all(t.src);
    destinations += or_all(t.dest);
  }
  return fmt::format("{} {} {}", name, filters, destinations);
}

std::string source_header(const std::string& source_name, uint64_t seq, std::string_view subject) {
  auto space = source_name.find(' ');
  return fmt::format("Nats-Stream-Source: {} {} {} {}\r\n", source_name.substr(0, space), seq,
                     source_name.substr(space + 1), subject);
}

}  // namespace vagus

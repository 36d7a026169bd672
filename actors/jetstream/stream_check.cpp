#include "actors/jetstream/stream_check.hpp"

#include "actors/jetstream/json_text.hpp"
#include "actors/jetstream/metadata.hpp"
#include "actors/jetstream/sources_check.hpp"
#include "actors/jetstream/subjects_check.hpp"
#include "net/subject.hpp"
#include "net/subject_transform.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vagus {

namespace {

using problem = std::optional<api_error>;

constexpr int64_t one_ms = 1'000'000;
constexpr int64_t one_second = 1000 * one_ms;
constexpr int64_t default_duplicate_window = 120 * one_second;
constexpr size_t max_name_size = 255;
constexpr size_t max_description_size = 4 * 1024;
constexpr size_t max_metadata_size = 128 * 1024;
constexpr int64_t max_replicas = 5;

problem refused(std::string_view text) {
  return make_error(js_errc::stream_invalid_config, text);
}

problem pedantic_error(std::string_view text) {
  return make_error(js_errc::pedantic, text);
}

problem check_texts(const stream_config& c) {
  if (c.name.empty() || c.name.find_first_of(" \t\r\n\f.*>\\/") != std::string::npos)
    return refused(R"(stream name is required and can not contain '.', '*', '>', '\', '/')");
  if (c.name.size() > max_name_size)
    return refused(fmt::format("stream name is too long, maximum allowed is {}", max_name_size));
  if (c.description.size() > max_description_size)
    return refused(
        fmt::format("stream description is too long, maximum allowed is {}", max_description_size));
  size_t size = 0;
  for (const auto& [key, value] : c.metadata) size += key.size() + value.size();
  if (size > max_metadata_size)
    return refused(
        fmt::format("stream metadata exceeds maximum size of {} bytes", max_metadata_size));
  return std::nullopt;
}

/// What vagus does not have is said by name, rather than kept and not done.
problem check_absent_features(const stream_config& c) {
  const std::pair<bool, std::string_view> features[] = {
      {c.allow_msg_counter, "allow_msg_counter"},
      {c.allow_atomic, "allow_atomic"},
      {c.allow_msg_schedules, "allow_msg_schedules"},
      {c.allow_batched, "allow_batched"},
  };
  for (const auto& [wanted, name] : features)
    if (wanted) return refused(fmt::format("{} is not supported by this server", name));
  return std::nullopt;
}

problem check_replicas(stream_config& c) {
  if (c.num_replicas == 0) c.num_replicas = 1;
  if (c.num_replicas > max_replicas)
    return refused(fmt::format("maximum replicas is {}", max_replicas));
  if (c.num_replicas < 0) return make_error(js_errc::replicas_count_cannot_be_negative);
  return std::nullopt;
}

/// Everything that is no limit becomes -1.
template <class T>
problem check_limit(T& limit, std::string_view name, bool pedantic) {
  if (limit >= -1 && limit != 0) return std::nullopt;
  if (pedantic && limit < -1) return pedantic_error(fmt::format("{} must be set to -1", name));
  limit = -1;
  return std::nullopt;
}

problem check_limits(stream_config& c, bool pedantic) {
  if (auto p = check_limit(c.max_msgs, "max_msgs", pedantic)) return p;
  if (auto p = check_limit(c.max_msgs_per_subject, "max_msgs_per_subject", pedantic)) return p;
  if (auto p = check_limit(c.max_bytes, "max_bytes", pedantic)) return p;
  if (auto p = check_limit(c.max_msg_size, "max_msg_size", pedantic)) return p;
  if (auto p = check_limit(c.max_consumers, "max_consumers", pedantic)) return p;
  if (c.max_age < 0) return refused("max age can not be negative");
  if (c.max_age != 0 && c.max_age < 100 * one_ms) return refused("max age needs to be >= 100ms");
  return std::nullopt;
}

problem check_duplicate_window(stream_config& c, int64_t server_limit, bool pedantic) {
  bool copies = c.mirror || !c.sources.empty();
  if (c.duplicate_window == 0 && copies) return std::nullopt;
  if (c.duplicate_window == 0) {
    c.duplicate_window = default_duplicate_window;
    if (server_limit > 0 && c.duplicate_window > server_limit) {
      if (pedantic) return pedantic_error("duplicate window limits are higher than current limits");
      c.duplicate_window = server_limit;
    }
    if (c.max_age != 0 && c.max_age < c.duplicate_window) {
      if (pedantic) return pedantic_error("duplicate window cannot be bigger than max age");
      c.duplicate_window = c.max_age;
    }
  }
  if (c.duplicate_window < 0) return refused("duplicates window can not be negative");
  if (c.max_age != 0 && c.duplicate_window > c.max_age)
    return refused("duplicates window can not be larger then max age");
  if (server_limit > 0 && c.duplicate_window > server_limit)
    return refused(fmt::format("duplicates window can not be larger then server limit of {}",
                               go_duration(server_limit)));
  if (c.duplicate_window < 100 * one_ms) return refused("duplicates window needs to be >= 100ms");
  return std::nullopt;
}

problem check_discard(const stream_config& c) {
  if (!c.discard_new_per_subject) return std::nullopt;
  if (c.discard != discard_policy::new_msgs)
    return refused("discard new per subject requires discard new policy to be set");
  if (c.max_msgs_per_subject <= 0)
    return refused("discard new per subject requires max msgs per subject > 0");
  return std::nullopt;
}

problem check_delete_markers(stream_config& c, bool pedantic) {
  if (c.subject_delete_marker_ttl == 0) return std::nullopt;
  if (c.subject_delete_marker_ttl < 0)
    return refused("subject delete marker TTL must not be negative");
  if (c.subject_delete_marker_ttl < one_second)
    return refused("subject delete marker TTL must be at least 1 second");
  if (!c.allow_msg_ttl) {
    if (pedantic)
      return refused("subject delete marker cannot be set if message TTLs are disabled");
    c.allow_msg_ttl = true;
  }
  if (!c.allow_rollup_hdrs) {
    if (pedantic) return refused("subject delete marker cannot be set if roll-ups are disabled");
    c.allow_rollup_hdrs = true;
    c.deny_purge = false;
  }
  return std::nullopt;
}

problem check_persist_mode(const stream_config& c) {
  if (c.persist_mode != persist_mode_type::async) return std::nullopt;
  if (c.storage != storage_type::file)
    return refused("async persist mode is only supported on file storage");
  if (c.num_replicas > 1)
    return refused("async persist mode is not supported on replicated streams");
  return std::nullopt;
}

problem check_max_bytes(const stream_config& c, const jetstream_limits& limits) {
  if (limits.max_bytes_required && c.max_bytes <= 0)
    return make_error(js_errc::stream_max_bytes_required);
  auto most = c.storage == storage_type::memory ? limits.memory_max_stream_bytes
                                                : limits.storage_max_stream_bytes;
  if (most > 0 && c.max_bytes > most) return make_error(js_errc::stream_max_stream_bytes_exceeded);
  return std::nullopt;
}

problem check_subject_transform(const stream_config& c) {
  if (!c.subject_transform) return std::nullopt;
  const auto& [src, dest] = *c.subject_transform;
  if (!src.empty() && !valid_subject(src))
    return make_error(js_errc::stream_transform_invalid_source,
                      fmt::format("invalid subject {}", src));
  auto made = subject_transform::make(src, dest);
  auto* failed = std::get_if<transform_failure>(&made);
  if (failed == nullptr) return std::nullopt;
  return make_error(failed->in_source ? js_errc::stream_transform_invalid_source
                                      : js_errc::stream_transform_invalid_destination,
                    failed->text);
}

problem check_republish(stream_config& c, bool pedantic) {
  if (!c.republish) return std::nullopt;
  auto& r = *c.republish;
  if (r.src.empty()) {
    if (pedantic) return pedantic_error("republish source can not be empty");
    r.src.assign(1, '>');  // GCC 12 warns of a literal here
  }
  // All to all under other subjects, where the transform of all the stream's subjects makes them.
  if (r.src == ">" && r.dest == ">" && c.subject_transform && c.subjects.size() == 1 &&
      c.subject_transform->src == c.subjects[0]) {
    if (pedantic) return pedantic_error("implicit republish based on subject transform");
    r.src = r.dest = c.subject_transform->dest;
  }
  for (const auto& subject : c.subjects)
    if (subjects_overlap(r.dest, subject) && !(r.dest.empty() && subject != ">"))
      return refused("stream configuration for republish destination forms a cycle");
  if (!r.dest.empty() &&
      std::holds_alternative<transform_failure>(subject_transform::make(r.src, r.dest)))
    return refused(
        fmt::format("stream configuration for republish with transform from '{}' to "
                    "'{}' not valid",
                    r.src, r.dest));
  return std::nullopt;
}

problem check_placement(stream_config& c) {
  if (c.placement == placement{}) c.placement.reset();
  if (c.placement && !c.placement->preferred.empty())
    return refused("preferred server not permitted in placement");
  return std::nullopt;
}

int required_level(const stream_config& c) {
  if (c.persist_mode == persist_mode_type::async) return 2;
  return c.allow_msg_ttl || c.subject_delete_marker_ttl > 0 ? 1 : 0;
}

/// What may become true and never false again, and what may not change at all.
problem check_changes(const stream_config& old, const stream_config& next) {
  if (next.name != old.name) return refused("stream configuration name must match original");
  if (next.storage != old.storage)
    return refused("stream configuration update can not change storage type");
  bool queue =
      next.retention == retention_policy::workqueue || old.retention == retention_policy::workqueue;
  if (next.retention != old.retention && queue)
    return refused("stream configuration update can not change retention policy to/from workqueue");
  if (old.sealed && !next.sealed)
    return refused("stream configuration update can not unseal a sealed stream");
  if (old.deny_delete && !next.deny_delete)
    return refused("stream configuration update can not cancel deny message deletes");
  if (old.deny_purge && !next.deny_purge)
    return refused("stream configuration update can not cancel deny purge");
  if (old.allow_msg_ttl && !next.allow_msg_ttl)
    return refused("message TTL status can not be disabled");
  // A mirror may become a stream of its own.
  if (next.mirror && next.mirror != old.mirror)
    return make_error(js_errc::stream_mirror_not_updatable);
  if (old.persist_mode != next.persist_mode)
    return refused("stream configuration update can not change persist mode");
  return std::nullopt;
}

}  // namespace

problem check_create_request(const stream_config& config) {
  if (config.name.find_first_of("\\/") != std::string::npos)
    return make_error(js_errc::stream_name_contains_path_separators);
  if (config.sealed) return refused("stream configuration for create can not be sealed");
  if (config.mirror_direct && !config.mirror)
    return refused("stream has no mirror but does have mirror direct");
  return std::nullopt;
}

problem check_stream_config(stream_config& config, const jetstream_limits& limits, bool pedantic,
                            const stream_lookup& find) {
  // What the server adds counts for the size of the metadata.
  set_static_metadata(config.metadata, required_level(config));
  if (auto p = check_texts(config)) return p;
  if (auto p = check_absent_features(config)) return p;
  if (config.storage == storage_type::unset) config.storage = storage_type::file;
  if (auto p = check_replicas(config)) return p;
  if (auto p = check_limits(config, pedantic)) return p;
  if (auto p = check_duplicate_window(config, limits.duplicate_window, pedantic)) return p;
  if (config.deny_purge && config.allow_rollup_hdrs)
    return refused("roll-ups require the purge permission");
  if (auto p = check_discard(config)) return p;
  if (auto p = check_delete_markers(config, pedantic)) return p;
  if (auto p = check_persist_mode(config)) return p;
  if (auto p = check_sources(config, find, pedantic)) return p;
  if (config.subjects.empty() && !config.mirror && config.sources.empty())
    config.subjects.push_back(config.name);
  if (auto text = check_subjects(config); !text.empty()) return refused(text);
  if (auto p = check_max_bytes(config, limits)) return p;
  if (auto p = check_subject_transform(config)) return p;
  if (auto p = check_republish(config, pedantic)) return p;
  if (auto p = check_placement(config)) return p;
  if (config.num_replicas > 1) return make_error(js_errc::stream_replicas_not_supported);
  if (auto p = check_source_filters(config)) return p;
  set_static_metadata(config.metadata, required_level(config));
  return std::nullopt;
}

problem check_stream_update(const stream_config& old, stream_config& next,
                            const jetstream_limits& limits, bool pedantic,
                            const stream_lookup& find) {
  if (auto p = check_stream_config(next, limits, pedantic, find)) return p;
  if (auto p = check_changes(old, next)) return p;
  if (next.sealed) {
    next.max_age = 0;
    next.discard = discard_policy::new_msgs;
    next.deny_delete = true;
    next.deny_purge = true;
    next.allow_rollup_hdrs = false;
  }
  return std::nullopt;
}

problem check_reservation(const stream_config& config, const reservations& others) {
  bool memory = config.storage == storage_type::memory;
  auto most = memory ? others.max_memory : others.max_storage;
  auto reserved = memory ? others.reserved_memory : others.reserved_storage;
  // A stream without `max_bytes` needs room for something at least.
  auto wanted = config.max_bytes < 0 ? 1 : config.max_bytes;
  if (most < 0 || (reserved <= most && wanted <= most - reserved)) return std::nullopt;
  return make_error(memory ? js_errc::memory_resources_exceeded
                           : js_errc::storage_resources_exceeded);
}

bool same_config(const stream_config& requested, const stream_config& existing) {
  auto adjusted = requested;
  copy_static_metadata(adjusted.metadata, existing.metadata);
  return adjusted == existing;
}

}  // namespace vagus

#include "net/options/rule_functions.hpp"

#include <algorithm>

// JetStream's part of the translation table.

namespace vagus {

namespace {

using o = options;

template <auto Member>
void storage_size(translation& work, const conf_value& value) {
  if (auto x = read_storage_size(work, value)) work.out.*Member = std::max<int64_t>(*x, -1);
}

void max_buffered_size(translation& work, const conf_value& value) {
  auto x = read_storage_size(work, value);
  if (x) work.out.max_buffered_size = std::max<int64_t>(*x, 0);
}

/// Where nats-server takes a limit below one for "no limit".
template <auto Member>
void limit(translation& work, const conf_value& value) {
  auto x = read_integer(work, value, -int64_max, int64_max);
  if (x) work.out.*Member = std::max<int64_t>(*x, 0);
}

void default_max_consumers(translation& work, const conf_value& value) {
  auto x = read_integer(work, value, -int64_max, int64_max);
  if (x) work.out.js_default_max_consumers = std::max<int64_t>(*x, -1);
}

/// "always", or a duration; none at all is "always" too.
void sync_interval(translation& work, const conf_value& value) {
  auto* text = std::get_if<std::string>(&value.data);
  if (text && lower_case(*text) == "always")
    work.out.sync_interval = {};
  else if (auto x = read_duration_or_seconds(work, value))
    work.out.sync_interval = *x;
}

void enabled(translation& work, const conf_value& value) {
  if (auto x = read_bool(work, value)) work.out.jetstream = *x;
}

void max_concurrent_io(translation& work, const conf_value& value) {
  read_integer(work, value, 4, 8192);
}

void any_text(translation& work, const conf_value& value) {
  read_string(work, value);
}

void any_storage_size(translation& work, const conf_value& value) {
  read_storage_size(work, value);
}

void limits(translation& work, const conf_value& value) {
  auto* map = std::get_if<conf_map>(&value.data);
  if (!map) return work.error(value, "\"limits\" must be a map");
  translate(*map, jetstream_limit_rules(), work);
}

constexpr key_rule in_jetstream[] = {
    {{"enabled", "enable"}, enabled},
    {{"store_dir", "storedir", "store"}, store_dir},
    {{"max_memory_store", "max_mem_store", "max_mem"}, storage_size<&o::max_memory_store>},
    {{"max_file_store", "max_file"}, storage_size<&o::max_file_store>},
    {{"sync_interval", "sync"}, sync_interval},
    {{"domain"}, text<&o::js_domain>},
    {{"strict"}, boolean<&o::js_strict>},
    {{"limits"}, limits},
    {{"request_queue_limit"}, limit<&o::js_request_queue_limit>},
    {{"info_queue_limit"}, limit<&o::js_info_queue_limit>},
    {{"max_buffered_size"}, max_buffered_size},
    {{"max_buffered_msgs"}, limit<&o::max_buffered_msgs>},
    // Nothing to do: they tune clusters and leaf nodes, or a file store that vagus does not have.
    {{"unique_tag"}, any_text},
    {{"extension_hint"}, any_text},
    {{"max_outstanding_catchup"}, any_storage_size},
    {{"max_concurrent_io"}, max_concurrent_io},
    {{"meta_compact"}, any_integer},
    {{"meta_compact_size"}, any_storage_size},
    {{"meta_compact_sync"}, any_boolean},
    // Not at all: nobody is to take files for encrypted that are not.
    {{"key", "ek", "encryption_key"}, refuse, false},
    {{"prev_key", "prev_ek", "prev_encryption_key"}, refuse, false},
    {{"cipher"}, refuse, false},
    {{"tpm"}, refuse, false},
};

constexpr key_rule in_limits[] = {
    {{"max_ack_pending"}, limit<&o::js_max_ack_pending>},
    {{"max_request_batch"}, limit<&o::js_max_request_batch>},
    {{"duplicate_window"}, duration<&o::js_duplicate_window>},
    {{"default_max_consumers"}, default_max_consumers},
    {{"max_ha_assets"}, any_integer},  // of a cluster
    {{"batch"}, refuse, false},
};

}  // namespace

void store_dir(translation& work, const conf_value& value) {
  auto path = read_string(work, value);
  if (!path) return;
  if (work.store_dir_given) return work.error(value, "\"store_dir\" is given twice");
  work.store_dir_given = true;
  work.out.store_dir = std::move(*path);
}

void jetstream(translation& work, const conf_value& value) {
  if (auto* on = std::get_if<bool>(&value.data)) {
    work.out.jetstream = *on;
  } else if (auto* word = std::get_if<std::string>(&value.data)) {
    auto said = lower_case(*word);
    bool enable = said == "enabled" || said == "enable";
    if (!enable && said != "disabled" && said != "disable")
      return work.error(value, fmt::format("\"jetstream\" is \"enabled\" or \"disabled\", not "
                                           "\"{}\"",
                                           *word));
    work.out.jetstream = enable;
  } else if (auto* map = std::get_if<conf_map>(&value.data)) {
    work.out.jetstream = true;
    translate(*map, jetstream_rules(), work);
  } else {
    work.error(value, "\"jetstream\" must be a map, a boolean, \"enabled\" or \"disabled\"");
  }
}

std::span<const key_rule> jetstream_rules() {
  return in_jetstream;
}

std::span<const key_rule> jetstream_limit_rules() {
  return in_limits;
}

}  // namespace vagus

#include "actors/jetstream/metadata.hpp"

#include "actors/jetstream/publish_headers.hpp"
#include "net/options/version.hpp"

#include <charconv>

namespace vagus {

namespace {

constexpr auto required_level_key = "_nats.req.level";
constexpr auto version_key = "_nats.ver";
constexpr auto level_key = "_nats.level";

void remove_dynamic(asset_metadata& metadata) {
  metadata.erase(version_key);
  metadata.erase(level_key);
}

}  // namespace

bool asks_higher_level(std::string_view headers) {
  if (headers.empty()) return false;
  auto level = find_header(headers, "Nats-Required-Api-Level");
  if (level.empty()) return false;
  int64_t asked = 0;
  auto [end, error] = std::from_chars(level.data(), level.data() + level.size(), asked);
  bool number = error == std::errc{} && end == level.data() + level.size();
  return !number || asked > js_api_level;
}

void set_static_metadata(asset_metadata& metadata, int required_level) {
  remove_dynamic(metadata);
  metadata[required_level_key] = std::to_string(required_level);
}

void add_dynamic_metadata(asset_metadata& metadata) {
  metadata[version_key] = nats_version;
  metadata[level_key] = std::to_string(js_api_level);
}

void copy_static_metadata(asset_metadata& metadata, const asset_metadata& existing) {
  remove_dynamic(metadata);
  metadata.erase(required_level_key);
  auto found = existing.find(required_level_key);
  if (found != existing.end()) metadata.insert(*found);
}

}  // namespace vagus

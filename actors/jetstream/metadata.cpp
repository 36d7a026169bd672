#include "actors/jetstream/metadata.hpp"

#include "net/options/version.hpp"

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

#pragma once

#include <map>
#include <string>
#include <string_view>

namespace vagus {

/// The JetStream API level that vagus has completely.
constexpr int js_api_level = 1;

/// Whether a request, by its header block, asks for a level that this server does not have
/// (Nats-Required-Api-Level, ADR-44). What is no number is too high.
bool asks_higher_level(std::string_view headers);

using asset_metadata = std::map<std::string, std::string>;

/// Puts the level that a stream or consumer needs in, and takes out what is only for answers.
void set_static_metadata(asset_metadata& metadata, int required_level);

/// Adds the server's version and level: they are in answers and never stored.
void add_dynamic_metadata(asset_metadata& metadata);

/// Gives `metadata` the level that `existing` needs, so that the two can be compared.
void copy_static_metadata(asset_metadata& metadata, const asset_metadata& existing);

}  // namespace vagus

#pragma once

#include "actors/jetstream/json_output.hpp"
#include "actors/jetstream/metadata.hpp"

#include <string>

namespace vagus {

/// The configuration of a stream or a consumer as JSON, with what is only in answers if need be.
template <class Config>
std::string asset_json(const Config& config, bool for_answer) {
  std::string out;
  json_output json{out};
  if (!for_answer) {
    json.value(config);
    return out;
  }
  auto shown = config;
  add_dynamic_metadata(shown.metadata);
  json.value(shown);
  return out;
}

}  // namespace vagus

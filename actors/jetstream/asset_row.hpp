#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vagus {

/// What a store keeps of a stream's or a consumer's configuration.
struct asset_row {
  int64_t created_ns = 0;
  std::string_view config;  ///< as `to_json` gives it; part of the row
};

std::string write_asset_row(int64_t created_ns, std::string_view config);
/// Nothing if it is no such row.
std::optional<asset_row> open_asset_row(std::string_view row);

/// Reads a row. What is returned is why it is not readable, for the log; empty if it is.
template <class Config>
std::string read_asset_row(std::string_view row, Config& config, int64_t& created_ns) {
  auto opened = open_asset_row(row);
  if (!opened) return "its configuration is not readable";
  created_ns = opened->created_ns;
  auto wrong = read_json(opened->config, false, config);
  return wrong ? wrong->description : std::string{};
}

}  // namespace vagus

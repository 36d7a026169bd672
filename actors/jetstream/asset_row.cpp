#include "actors/jetstream/asset_row.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vagus {

std::string write_asset_row(int64_t created_ns, std::string_view config) {
  return fmt::format(R"({{"created":{},"config":{}}})", created_ns, config);
}

std::optional<asset_row> open_asset_row(std::string_view row) {
  auto json = nlohmann::json::parse(row, nullptr, false);
  if (!json.is_object() || !json.contains("config")) return std::nullopt;
  return asset_row{json.value("created", int64_t{0}), json["config"].dump()};
}

}  // namespace vagus

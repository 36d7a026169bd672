#include "actors/jetstream/asset_row.hpp"

#include <fmt/format.h>

#include <charconv>

namespace vagus {

std::string write_asset_row(int64_t created_ns, std::string_view config) {
  return fmt::format(R"({{"created":{},"config":{}}})", created_ns, config);
}

/// Without a tree: a server may have a hundred thousand of them to read when it starts.
std::optional<asset_row> open_asset_row(std::string_view row) {
  constexpr std::string_view created = R"({"created":)";
  constexpr std::string_view configured = R"(,"config":)";
  if (!row.starts_with(created) || !row.ends_with('}')) return std::nullopt;
  auto rest = row.substr(created.size(), row.size() - created.size() - 1);
  asset_row found;
  auto number = std::from_chars(rest.data(), rest.data() + rest.size(), found.created_ns);
  rest.remove_prefix(static_cast<size_t>(number.ptr - rest.data()));
  if (number.ec != std::errc{} || !rest.starts_with(configured)) return std::nullopt;
  found.config = rest.substr(configured.size());
  return found;
}

}  // namespace vagus

#include "net/options/conf_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

namespace vagus {

std::string to_string(const conf_position& where) {
  std::string file = where.file ? *where.file : std::string{};
  if (where.line == 0) return file;
  if (file.empty()) return fmt::format("line {}:{}", where.line, where.column);
  return fmt::format("{}:{}:{}", file, where.line, where.column);
}

std::string to_string(const conf_problem& problem) {
  auto where = to_string(problem.where);
  return where.empty() ? problem.message : where + ": " + problem.message;
}

std::string_view kind_name(const conf_value& value) {
  static constexpr std::string_view names[] = {"an integer", "a boolean", "a float", "a string",
                                               "a datetime", "an array",  "a map"};
  return names[value.data.index()];
}

conf_extent extent(const conf_value& value) {
  conf_extent result{sizeof(conf_value), 0};
  auto add = [&result](const conf_value& child) {
    auto inner = extent(child);
    result.bytes += inner.bytes;
    result.depth = std::max(result.depth, inner.depth + 1);
  };
  if (auto* text = std::get_if<std::string>(&value.data)) result.bytes += text->size();
  if (auto* array = std::get_if<conf_array>(&value.data)) {
    result.depth = 1;
    for (auto& child : *array) add(child);
  }
  if (auto* map = std::get_if<conf_map>(&value.data)) {
    result.depth = 1;
    for (auto& [key, child] : *map) {
      result.bytes += key.size();
      add(child);
    }
  }
  return result;
}

}  // namespace vagus

#include "net/options/caf_file.hpp"

#include "net/options/caf_places.hpp"
#include "net/options/units.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/config_value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace vagus {

namespace {

constexpr std::string_view groups[] = {"vagus",   "scheduler", "work-stealing",
                                       "logger",  "middleman", "stream",
                                       "openssl", "opencl",    "system"};

bool is_key_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

/// Turns CAF's values into ours.
class converter {
public:
  converter(const caf_places& places, const std::string& file)
      : places_(places), file_(std::make_shared<const std::string>(file)) {}

  conf_map map(const caf::config_value::dictionary& from, const std::string& path) {
    conf_map result;
    for (auto& entry : from) {
      auto inner = path.empty() ? entry.first : path + "." + entry.first;
      auto found = places_.keys.find(inner);
      auto converted = value(entry.second, inner);
      if (found != places_.keys.end()) converted.where = found->second;
      if (auto* array = std::get_if<conf_array>(&converted.data))
        for (auto& element : *array) element.where = converted.where;
      converted.order = static_cast<uint32_t>(converted.where.line);
      result.emplace(entry.first, std::move(converted));
    }
    return result;
  }

private:
  conf_value value(const caf::config_value& from, const std::string& path) {
    conf_value result;
    result.where = {file_};
    if (auto* x = caf::get_if<int64_t>(&from)) result.data = *x;
    if (auto* x = caf::get_if<bool>(&from)) result.data = *x;
    if (auto* x = caf::get_if<double>(&from)) result.data = *x;
    if (auto* x = caf::get_if<std::string>(&from)) result.data = *x;
    if (auto* x = caf::get_if<caf::atom_value>(&from)) result.data = caf::to_string(*x);
    if (auto* x = caf::get_if<caf::uri>(&from)) result.data = caf::to_string(*x);
    if (auto* x = caf::get_if<caf::timespan>(&from)) result.data = format_duration(*x);
    if (auto* x = caf::get_if<caf::config_value::dictionary>(&from)) result.data = map(*x, path);
    if (auto* x = caf::get_if<caf::config_value::list>(&from)) {
      conf_array array;
      for (auto& element : *x) array.push_back(value(element, path + "#"));
      result.data = std::move(array);
    }
    return result;
  }

  const caf_places& places_;
  std::shared_ptr<const std::string> file_;
};

}  // namespace

bool looks_like_caf(std::string_view text) {
  for (;;) {
    auto start = text.find_first_not_of(" \t\r\n");
    if (start == text.npos) return false;
    text.remove_prefix(start);
    if (text[0] == ';' || text[0] == '[') return true;
    auto length = std::find_if_not(text.begin(), text.end(), is_key_character) - text.begin();
    auto name = text.substr(0, static_cast<size_t>(length));
    if (std::find(std::begin(groups), std::end(groups), name) == std::end(groups)) return false;
    auto rest = text.substr(name.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.starts_with('=')) rest.remove_prefix(1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    return rest.starts_with('{') && name != "system";
  }
}

caf_document read_caf(const std::string& text, const std::string& file) {
  caf_document result;
  auto fail = [&](conf_position where, std::string message) {
    if (!where.file) where.file = std::make_shared<const std::string>(file);
    result.error = conf_problem{std::move(where), std::move(message)};
    return std::move(result);
  };
  std::string plain = text;  // CAF's reader knows no carriage returns
  std::erase(plain, '\r');
  auto places = find_caf_places(plain, file);
  if (places.error) return fail(places.error->where, places.error->message);
  std::istringstream source{plain};
  auto parsed = caf::actor_system_config::parse_config(source);
  if (!parsed) return fail({}, "not valid: " + caf::to_string(parsed.error()));
  auto tree = converter{places, file}.map(*parsed, {});
  result.digest = conf_digest(tree);
  for (auto& [key, value] : tree) {
    if (std::find(std::begin(groups), std::end(groups), key) == std::end(groups))
      return fail(value.where,
                  fmt::format("\"{}\" is no group of CAF's and not inside \"vagus\"", key));
    if (key != "vagus") result.rest.emplace(key, parsed->find(key)->second);
  }
  auto found = tree.find("vagus");
  if (found == tree.end()) return result;
  auto* group = std::get_if<conf_map>(&found->second.data);
  if (!group) return fail(found->second.where, "\"vagus\" must be a group");
  result.vagus = std::move(*group);
  return result;
}

}  // namespace vagus

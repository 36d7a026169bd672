#include "tests/protocol/json_checks.hpp"

#include "tests/support/text.hpp"

#include <regex>
#include <sstream>

namespace vagus::test {
namespace {

using nlohmann::json;

const json* find(const json& value, const std::string& path) {
  const json* at = &value;
  std::istringstream steps{path};
  for (std::string step; std::getline(steps, step, '.');) {
    if (at->is_array()) {
      const auto i = std::stoul(step);
      if (i >= at->size()) return nullptr;
      at = &(*at)[i];
    } else {
      if (!at->is_object() || !at->contains(step)) return nullptr;
      at = &(*at)[step];
    }
  }
  return at;
}

bool holds(const json& found, char op, const std::string& wanted) {
  switch (op) {
    case ':':
      return found.is_number() ? wanted == "number" : wanted == found.type_name();
    case '=':
      return found == json::parse(wanted);
    case '~':
      return found.is_string() && std::regex_match(found.get<std::string>(), std::regex{wanted});
    case '#':
      return found.is_structured() && found.size() == std::stoul(wanted);
    default:
      return true;
  }
}

void check_one(const json& value, const std::string& check) {
  if (check[0] == '!') {
    if (find(value, check.substr(1)) != nullptr) throw failure{"JSON has " + check.substr(1)};
    return;
  }
  const auto end = check.find_first_of(":=~#");
  const auto* found = find(value, check.substr(0, end));
  if (found == nullptr) throw failure{"JSON lacks " + check.substr(0, end)};
  if (end == std::string::npos) return;
  if (!holds(*found, check[end], check.substr(end + 1)))
    throw failure{"JSON check " + check + " fails for " + printable(found->dump())};
}

}  // namespace

void check_json(const json& value, const std::string& checks) {
  for (const auto& check : words(checks)) check_one(value, check);
}

}  // namespace vagus::test

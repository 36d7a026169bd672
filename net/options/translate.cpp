#include "net/options/translate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vagus {

namespace {

std::string canonical(std::string_view key, conf_language language) {
  auto result = lower_case(std::string{key});
  if (language == conf_language::caf) std::replace(result.begin(), result.end(), '-', '_');
  return result;
}

const key_rule* find_rule(std::span<const key_rule> rules, std::string_view key) {
  if (key.empty()) return nullptr;  // unused places for names are empty
  for (auto& rule : rules)
    if (std::find(rule.names.begin(), rule.names.end(), key) != rule.names.end()) return &rule;
  return nullptr;
}

}  // namespace

std::string lower_case(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return text;
}

void translation::error(const conf_value& at, std::string message) {
  errors.push_back({at.where, std::move(message)});
}

void translation::warn(const conf_value& at, std::string message) {
  warnings.push_back({at.where, std::move(message)});
}

void translate(const conf_map& map, std::span<const key_rule> rules, translation& work) {
  std::vector<const conf_map::value_type*> entries;
  for (auto& entry : map) entries.push_back(&entry);
  std::stable_sort(entries.begin(), entries.end(),
                   [](auto* a, auto* b) { return a->second.order < b->second.order; });
  for (auto* entry : entries) {
    auto& [key, value] = *entry;
    auto outer = std::exchange(work.key, key);
    if (auto* rule = find_rule(rules, canonical(key, work.language)))
      rule->apply(work, value);
    else if (!value.used_as_variable)
      work.error(value, fmt::format("unknown field \"{}\"", key));
    work.key = std::move(outer);
  }
}

}  // namespace vagus

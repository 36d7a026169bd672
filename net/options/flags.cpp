#include "net/options/flags.hpp"

#include "net/options/units.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vagus {

namespace {

const flag_rule* find_flag(std::string_view name) {
  for (auto& group : flag_groups())
    for (auto& rule : group.rules)
      if (std::find(rule.names.begin(), rule.names.end(), name) != rule.names.end()) return &rule;
  return nullptr;
}

/// Reads `text` as the rule's kind; what is wrong with it, if anything.
std::optional<std::string> read_value(const flag_rule& rule, std::string_view name,
                                      std::string_view text, flag_value& out) {
  if (rule.kind == flag_kind::text) {
    out.text = text;
    return std::nullopt;
  }
  if (rule.kind == flag_kind::boolean) {
    auto parsed = parse_go_bool(text);
    if (!parsed)
      return fmt::format("invalid boolean value \"{}\" for -{}: parse error", text, name);
    out.yes = *parsed;
    return std::nullopt;
  }
  auto parsed = parse_go_integer(text);
  out.number = parsed.value;
  if (parsed.error == number_error::none) return std::nullopt;
  auto why = parsed.error == number_error::out_of_range ? "value out of range" : "parse error";
  return fmt::format("invalid value \"{}\" for flag -{}: {}", text, name, why);
}

bool stands_for_several(std::string_view name) {
  return name == "DV" || name == "DVV" || name == "VV";
}

}  // namespace

parsed_flags parse_flags(std::span<const std::string> arguments) {
  parsed_flags result;
  auto fail = [&](std::string message) {
    result.error = std::move(message);
    return result;
  };
  size_t i = 0;
  while (i < arguments.size()) {
    std::string_view argument = arguments[i];
    if (argument.size() < 2 || argument[0] != '-') break;
    ++i;
    if (argument == "--") break;
    auto name = argument.substr(argument[1] == '-' ? 2 : 1);
    if (name.empty() || name[0] == '-' || name[0] == '=')
      return fail(fmt::format("bad flag syntax: {}", argument));
    auto equals = name.find('=');
    std::optional<std::string_view> text;
    if (equals != name.npos) text = name.substr(equals + 1);
    name = name.substr(0, equals);
    auto* rule = find_flag(name);
    if (!rule) return fail(fmt::format("flag provided but not defined: -{}", name));
    if (!text && rule->kind == flag_kind::boolean) text = "true";
    if (!text && i < arguments.size()) text = arguments[i++];
    if (!text) return fail(fmt::format("flag needs an argument: -{}", name));
    result.flags.push_back({rule, name, {}});
    if (auto error = read_value(*rule, name, *text, result.flags.back().value)) return fail(*error);
  }
  result.words.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i), arguments.end());
  return result;
}

void apply_flags(const parsed_flags& parsed, command_line& command, options& opts) {
  for (bool several : {false, true})
    for (auto& flag : parsed.flags)
      if (flag.rule->apply && stands_for_several(flag.name) == several)
        flag.rule->apply(command, opts, flag.value);
}

}  // namespace vagus

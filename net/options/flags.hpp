#pragma once

#include "net/options/options.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// What the command line asks for beside single options.
struct command_line {
  bool help = false;
  bool help_tls = false;
  bool version = false;
  bool check = false;           ///< -t
  std::string config_file;      ///< -c: either language
  std::string caf_config_file;  ///< --config-file: CAF's
  std::string signal;           ///< -sl
};

enum class flag_kind : uint8_t { boolean, integer, text };

/// A flag's value, in the member that its kind says.
struct flag_value {
  bool yes = false;
  int64_t number = 0;
  std::string text;

  /// Whether it is what the flag would be without being given: false, 0 or "".
  bool is_zero() const { return !yes && number == 0 && text.empty(); }
};

struct flag_rule {
  std::array<std::string_view, 3> names;  ///< without dashes; unused places are empty
  flag_kind kind;
  std::string_view argument;  ///< what usage calls the value
  std::string_view help;      ///< for a flag that is refused: the feature that it belongs to
  void (*apply)(command_line& command, options& opts,
                const flag_value& value) = nullptr;  ///< none: refused
};

/// Flags under a heading of the usage text; the last group holds those that are refused.
struct flag_group {
  std::string_view title;
  std::span<const flag_rule> rules;
};
std::span<const flag_group> flag_groups();

struct given_flag {
  const flag_rule* rule;
  std::string_view name;  ///< the one of its names that was used
  flag_value value;
};

/// Flags in the order given, then the words that follow them.
struct parsed_flags {
  std::vector<given_flag> flags;
  std::vector<std::string> words;
  std::optional<std::string> error;
};

/// Reads arguments as Go's flag package does: one dash or two, "-p 4222" or "-p=4222", a boolean's
/// value only after "="; "--" or the first word that is no flag ends them. Stops at the first
/// error. `arguments` must outlive the result.
parsed_flags parse_flags(std::span<const std::string> arguments);

/// Applies flags in their order, except that those that stand for several (-DV, -DVV, -VV) come
/// last.
void apply_flags(const parsed_flags& parsed, command_line& command, options& opts);

}  // namespace vagus

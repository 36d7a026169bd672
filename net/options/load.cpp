#include "net/options/load.hpp"

#include "net/options/flags.hpp"
#include "net/options/translate.hpp"
#include "net/options/usage.hpp"
#include "net/options/validate.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vagus {

namespace {

/// "vagus: " before each text of an error, which may have several lines.
print_request failure(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return {{}, fmt::format("vagus: {}\n", text), 1};
}

/// What -h, -v, --help_tls and the words "help" and "version" ask for, and what is wrong with other
/// words.
std::optional<print_request> information(const command_line& command,
                                         const std::vector<std::string>& words) {
  auto word = words.empty() ? std::string{} : lower_case(words[0]);
  if (command.version) return print_request{version_text(), {}, 0};
  if (command.help) return print_request{usage_text(), {}, 0};
  if (command.help_tls) return print_request{tls_help_text(), {}, 0};
  if (word == "version") return print_request{version_text(), {}, 0};
  if (word == "help") return print_request{usage_text(), {}, 0};
  if (!words.empty()) return failure(fmt::format("unrecognized command: \"{}\"", words[0]));
  return std::nullopt;
}

/// Flags of features that vagus does not have, unless they switch the feature off.
std::string refusals(const parsed_flags& parsed) {
  std::string result;
  for (auto& flag : parsed.flags)
    if (!flag.rule->apply && !flag.value.is_zero())
      result += fmt::format("{}-{}: vagus does not support this yet ({})",
                            result.empty() ? "" : "\n", flag.name, flag.rule->help);
  return result;
}

load_result finish(const parsed_flags& flags, const command_line& command, loaded_file file) {
  command_line ignored;
  apply_flags(flags, ignored, file.opts);
  fill_defaults(file.opts);
  std::string problems;
  for (auto& problem : validate(file.opts)) problems += problem + "\n";
  if (!problems.empty()) return failure(problems);
  if (command.check)
    return print_request{{},
                         fmt::format("vagus: configuration file {} is valid ({})\n",
                                     file.opts.config_file, file.opts.config_digest),
                         0};
  return run_request{std::move(file.opts), std::move(file.caf), std::move(file.warnings)};
}

}  // namespace

load_result load(int argc, const char* const* argv, const environment& env) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  auto flags = parse_flags(arguments);
  if (flags.error) return print_request{usage_text(), *flags.error + "\n", 1};
  command_line command;
  options scratch;
  apply_flags(flags, command, scratch);
  if (auto print = information(command, flags.words)) return *print;
  if (auto text = refusals(flags); !text.empty()) return failure(text);
  if (!command.signal.empty()) {
    auto parsed = parse_signal(command.signal);
    if (parsed.error) return failure(*parsed.error);
    return parsed.request;
  }
  if (!command.config_file.empty() && !command.caf_config_file.empty())
    return failure("-c and --config-file cannot be given together");
  bool caf = !command.caf_config_file.empty();
  auto& path = caf ? command.caf_config_file : command.config_file;
  loaded_file file;
  forget_followers(file.opts);
  if (!path.empty()) {
    file = load_file(path, env, caf);
    if (!file.errors.empty()) return failure(file.warnings + file.errors);
    // What is only a warning at run time fails a check, so that the check is worth something.
    if (command.check && !file.warnings.empty()) return failure(file.warnings);
  } else if (command.check) {
    return failure("-t needs a configuration file to check: -c FILE");
  }
  return finish(flags, command, std::move(file));
}

}  // namespace vagus

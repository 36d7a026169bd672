#pragma once

#include "net/options/conf_value.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace vagus {

/// Looks a name up in the environment.
using environment = std::function<std::optional<std::string>(std::string_view name)>;

/// What a file name led to: its text, or why there is none.
struct file_text {
  std::optional<std::string> text;
  std::string error;
};

/// What bounds the work that a configuration can ask for; hostile input meets these before it meets
/// memory.
struct conf_limits {
  size_t max_depth = 64;  ///< maps and arrays inside each other, across includes and variables
  size_t max_include_depth = 16;  ///< files inside each other
  size_t max_values = 200'000;
  size_t max_total_bytes = 64u << 20;  ///< all files together, and what variables copy
};

/// What a text may refer to. Without `read_file` an include is an error, without `env` variables
/// come from the text alone: parsing then touches nothing outside.
struct conf_context {
  environment env;
  std::function<file_text(const std::string& path)> read_file;
  conf_limits limits;
};

/// A parsed text, or the first thing that is wrong with it (then `root` is empty).
struct parsed_conf {
  conf_map root;
  std::optional<conf_problem> error;
};

/// Parses nats-server's configuration language. `file` names the text in messages and is what
/// includes are relative to. Safe for any input. Keys keep their case; a repeated key replaces the
/// earlier one.
///
/// `$NAME` is looked up in the maps around it, innermost first, among the keys written so far, then
/// in the environment, whose text is parsed as a value. "$2a$..." and its kin (bcrypt) are plain
/// strings.
parsed_conf parse_conf(std::string_view text, const std::string& file = {},
                       const conf_context& context = {});

}  // namespace vagus

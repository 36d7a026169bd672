#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vagus {

/// Where something was written. Lines and columns count from 1; line 0: the file as a whole.
struct conf_position {
  std::shared_ptr<const std::string> file;
  int line = 0;
  int column = 0;
};

/// "FILE:LINE:COLUMN", as far as known.
std::string to_string(const conf_position& where);

/// Something wrong in a configuration, and where.
struct conf_problem {
  conf_position where;
  std::string message;
};

/// "FILE:LINE:COLUMN: message".
std::string to_string(const conf_problem& problem);

/// A moment as it was written ("2026-01-31T12:00:00Z"); checked, not interpreted: no option takes
/// one.
struct conf_datetime {
  std::string text;
};

struct conf_value;
using conf_array = std::vector<conf_value>;
using conf_map = std::map<std::string, conf_value, std::less<>>;

/// One value of a configuration file.
struct conf_value {
  std::variant<int64_t, bool, double, std::string, conf_datetime, conf_array, conf_map> data;
  conf_position where;            ///< of its key; of itself inside an array
  uint32_t order = 0;             ///< later assignments have higher numbers
  bool used_as_variable = false;  ///< some "$KEY" referred to it, so an unknown key is no mistake
};

/// "an integer", "a string" and so on, for messages.
std::string_view kind_name(const conf_value& value);

/// What the value costs to copy (in bytes, roughly) and how deeply it nests (a scalar: 0).
struct conf_extent {
  size_t bytes = 0;
  size_t depth = 0;
};
conf_extent extent(const conf_value& value);

/// "sha256:<hex>" over the meaning of a file: the same for two files that differ only in layout,
/// comments, order or includes. Equal to what nats-server prints for the same file (SHA-256 of the
/// tree as JSON).
std::string conf_digest(const conf_map& root);

}  // namespace vagus

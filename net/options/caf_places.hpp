#pragma once

#include "net/options/conf_value.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vagus {

/// What CAF's reader does not tell: where each key of a text in its language stands, and whether
/// one is written twice (the reader would keep one of them and say nothing).
struct caf_places {
  std::map<std::string, conf_position, std::less<>> keys;  ///< by path: "vagus.authorization.user"
  std::optional<conf_problem>
      error;  ///< a key written twice, or nesting beyond 64 (the reader recurses)
};

/// Reads only the shape: brackets, strings, comments, and names before "=" or "{". Safe for any
/// input.
caf_places find_caf_places(std::string_view text, const std::string& file);

}  // namespace vagus

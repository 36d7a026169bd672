#pragma once

#include "net/options/options.hpp"

#include <string>
#include <vector>

namespace vagus {

/// One option that differs between two configurations.
struct option_change {
  /// As in the configuration file; where reload is refused, as nats-server says it.
  std::string name;
  std::string before;
  std::string after;  ///< "[REDACTED]" for secrets
  bool reloadable;    ///< false: takes a restart
};

std::vector<option_change> compare_options(const options& before, const options& after);

}  // namespace vagus

#pragma once

#include "net/options/conf_value.hpp"

#include <caf/settings.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace vagus {

/// A file in CAF's configuration language: its `vagus` group as a tree, everything else as CAF has
/// it.
struct caf_document {
  conf_map vagus;
  caf::settings rest;  ///< scheduler, work-stealing and so on: CAF's own
  std::string digest;  ///< of the whole file
  std::optional<conf_problem> error;
};

/// Whether a text is in CAF's language rather than nats-server's. The rule, over its beginning:
/// after white space and ";" comments comes "[", or one of CAF's groups or "vagus" followed by "{"
/// (with or without "=") on the same line; or there was a ";" comment. Anything else is
/// nats-server's.
bool looks_like_caf(std::string_view text);

/// Parses with CAF's own reader. Keys keep their spelling; a repeated key or group is an error, and
/// outside the `vagus` group only CAF's own groups are accepted. Safe for any input.
caf_document read_caf(const std::string& text, const std::string& file);

}  // namespace vagus

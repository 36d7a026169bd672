#pragma once

#include <string>

namespace vagus {

/// What -h prints.
std::string usage_text();

/// What -v prints.
std::string version_text();

/// What --help_tls prints.
std::string tls_help_text();

}  // namespace vagus

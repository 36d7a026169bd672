#pragma once

#include <string>
#include <string_view>

namespace vagus {

/// True if a configured secret is a bcrypt hash ("$2a$10$...") and not plain text.
bool is_bcrypt(std::string_view configured);

/// Compares what a client has given with what is configured (plain text or bcrypt), in a time that
/// does not depend on where they differ. bcrypt takes tens of milliseconds by intention.
bool check_secret(const std::string& configured, const std::string& given);

}  // namespace vagus

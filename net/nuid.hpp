#pragma once

#include <string>

namespace vagus {

/// A name that nobody else has: 22 random characters of 0-9, A-Z and a-z. Any thread.
std::string make_nuid();

}  // namespace vagus

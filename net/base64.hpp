#pragma once

#include <string>
#include <string_view>

namespace vagus {

/// Standard Base64 with padding (RFC 4648, section 4), by OpenSSL.
std::string base64(std::string_view bytes);

}  // namespace vagus

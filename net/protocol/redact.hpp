#pragma once

#include <string>
#include <string_view>

namespace vagus {

/// A CONNECT's JSON with the values of pass, auth_token, sig and jwt replaced by "[REDACTED]", also
/// where the text is not good JSON. For logs.
std::string redact_secrets(std::string_view json);

/// Text in double quotes, with what cannot be printed as escapes.
std::string quoted_text(std::string_view text);

}  // namespace vagus

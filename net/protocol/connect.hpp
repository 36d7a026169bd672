#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vagus {

/// What a client says of itself in CONNECT. The defaults are those of a client that has not said
/// anything (and of every key that its JSON does not carry).
struct connect_options {
  bool verbose = true;
  bool pedantic = true;
  bool echo = true;
  bool headers = false;
  bool no_responders = false;
  int protocol = 0;
  std::string name;
  std::string lang;
  std::string version;
  std::string user;
  std::string pass;
  std::string auth_token;
  std::string account;
  bool new_account = false;
};

/// Applies the keys of a CONNECT's JSON to `options`, whatever their case; null counts as not
/// there. False (and unspecified contents) if the text is not a JSON object or null, or a known key
/// has a value of the wrong type.
bool apply_connect(std::string_view json, connect_options& options);

bool is_json_object(std::string_view text);

}  // namespace vagus

#include "net/protocol/connect.hpp"

#include <algorithm>
#include <climits>
#include <nlohmann/json.hpp>

namespace vagus {

namespace {

using json = nlohmann::ordered_json;

bool same_key(const std::string& given, std::string_view lower) {
  return std::equal(given.begin(), given.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b;
  });
}

bool read(const json& value, bool& to) {
  if (!value.is_boolean()) return false;
  to = value.get<bool>();
  return true;
}

bool read(const json& value, std::string& to) {
  if (!value.is_string()) return false;
  to = value.get<std::string>();
  return true;
}

bool read(const json& value, int& to) {
  if (!value.is_number_integer()) return false;
  to = static_cast<int>(std::clamp<int64_t>(value.get<int64_t>(), INT_MIN, INT_MAX));
  return true;
}

/// Reads one key into the member that it names; keys that nobody knows are passed over.
bool apply_key(const std::string& key, const json& value, connect_options& o) {
  auto named = [&](std::string_view name) { return same_key(key, name); };
  if (value.is_null()) return true;  // as if it were not there
  if (named("verbose")) return read(value, o.verbose);
  if (named("pedantic")) return read(value, o.pedantic);
  if (named("echo")) return read(value, o.echo);
  if (named("headers")) return read(value, o.headers);
  if (named("no_responders")) return read(value, o.no_responders);
  if (named("protocol")) return read(value, o.protocol);
  if (named("name")) return read(value, o.name);
  if (named("lang")) return read(value, o.lang);
  if (named("version")) return read(value, o.version);
  if (named("user")) return read(value, o.user);
  if (named("pass")) return read(value, o.pass);
  if (named("auth_token")) return read(value, o.auth_token);
  if (named("account")) return read(value, o.account);
  if (named("new_account")) return read(value, o.new_account);
  return true;
}

}  // namespace

bool apply_connect(std::string_view text, connect_options& options) {
  auto parsed = json::parse(text.begin(), text.end(), nullptr, false);
  if (parsed.is_null()) return true;
  if (!parsed.is_object()) return false;
  for (const auto& [key, value] : parsed.items())
    if (!apply_key(key, value, options)) return false;
  return true;
}

bool is_json_object(std::string_view text) {
  return json::parse(text.begin(), text.end(), nullptr, false).is_object();
}

}  // namespace vagus

#include "net/protocol/connect.hpp"

#include <nlohmann/json.hpp>

namespace vagus {

namespace {

using json = nlohmann::json;

/// Reads keys into members. A null leaves the member as it is, as Go's decoder does.
struct reader {
  const json& object;
  bool good = true;

  const json* value(const char* key) {
    auto it = object.find(key);
    return it == object.end() || it->is_null() ? nullptr : &*it;
  }

  void read(const char* key, bool& to) {
    if (auto* v = value(key)) {
      if (v->is_boolean())
        to = v->get<bool>();
      else
        good = false;
    }
  }

  void read(const char* key, std::string& to) {
    if (auto* v = value(key)) {
      if (v->is_string())
        to = v->get<std::string>();
      else
        good = false;
    }
  }

  void read(const char* key, int& to) {
    if (auto* v = value(key)) {
      if (v->is_number_integer())
        to = v->get<int>();
      else
        good = false;
    }
  }
};

}  // namespace

bool apply_connect(std::string_view text, connect_options& options) {
  auto parsed = json::parse(text.begin(), text.end(), nullptr, false);
  if (!parsed.is_object()) return false;
  reader r{parsed};
  r.read("verbose", options.verbose);
  r.read("pedantic", options.pedantic);
  r.read("echo", options.echo);
  r.read("headers", options.headers);
  r.read("no_responders", options.no_responders);
  r.read("protocol", options.protocol);
  r.read("name", options.name);
  r.read("lang", options.lang);
  r.read("version", options.version);
  r.read("user", options.user);
  r.read("pass", options.pass);
  r.read("auth_token", options.auth_token);
  r.read("account", options.account);
  r.read("new_account", options.new_account);
  return r.good;
}

}  // namespace vagus

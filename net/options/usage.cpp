#include "net/options/usage.hpp"

#include "net/options/flags.hpp"
#include "net/options/version.hpp"

#include <fmt/format.h>

namespace vagus {

namespace {

/// "-p, --port <port>": one dash for short names, two for long ones; both work for all.
std::string spelling(const flag_rule& rule) {
  std::string result;
  for (auto name : rule.names) {
    if (name.empty()) continue;
    if (!result.empty()) result += ", ";
    result += name.size() <= 3 && name != "net" && name != "log" && name != "pid" && name != "tls"
                  ? "-"
                  : "--";
    result += name;
  }
  if (!rule.argument.empty()) result += fmt::format(" <{}>", rule.argument);
  return result;
}

}  // namespace

std::string usage_text() {
  std::string result =
      "Usage: vagus [options]\n"
      "       vagus store check <dir> | info <dir> | backup <dir> <to>\n";
  for (auto& group : flag_groups()) {
    result += fmt::format("\n{}:\n", group.title);
    for (auto& rule : group.rules) {
      auto left = spelling(rule);
      if (left.size() <= 32)
        result += fmt::format("  {:<32}  {}\n", left, rule.help);
      else
        result += fmt::format("  {}\n  {:<32}  {}\n", left, "", rule.help);
    }
  }
  return result;
}

std::string version_text() {
  return fmt::format("vagus: v{} (nats-server protocol v{})\n", vagus_version, nats_version);
}

std::string tls_help_text() {
  return "vagus does not have TLS yet. Flags and configuration keys for it are refused, so that "
         "nobody\n"
         "takes a plain connection for an encrypted one.\n";
}

}  // namespace vagus

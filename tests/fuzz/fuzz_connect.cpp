#include "net/protocol/connect.hpp"
#include "net/protocol/redact.hpp"
#include "target.hpp"

#include <nlohmann/json.hpp>

using namespace vagus;
using namespace vagus::fuzz;

namespace {

/// An object whose values are no objects or arrays, written without escapes: there the redacted
/// text must be JSON again.
bool is_simple(const std::string& text, const nlohmann::json& parsed) {
  if (!parsed.is_object() || text.find('\\') != std::string::npos) return false;
  for (const auto& [key, value] : parsed.items())
    if (value.is_structured()) return false;
  return true;
}

void check_redacted(const std::string& text) {
  auto redacted = redact_secrets(text);
  auto parsed = nlohmann::json::parse(text, nullptr, false);
  if (!is_simple(text, parsed)) return;
  auto again = nlohmann::json::parse(redacted, nullptr, false);
  require(again.is_object() && again.size() == parsed.size(), "redacting keeps the JSON");
  for (const auto& [key, value] : parsed.items()) {
    bool secret = key == "pass" || key == "auth_token" || key == "sig" || key == "jwt";
    if (secret) require(again[key] == "[REDACTED]", "secrets are replaced");
  }
  require(redact_secrets(redacted) == redacted, "redacting twice is redacting once");
}

}  // namespace

/// Every line is the JSON of one CONNECT of the same client.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  connect_options client;
  for (const auto& line : lines_of(text_of(data, size))) {
    bool object = is_json_object(line);
    bool applied = apply_connect(line, client);
    if (object && !applied) client = {};
    require(!applied || object || nlohmann::json::parse(line, nullptr, false).is_null(),
            "only objects and null are applied");
    check_redacted(line);
    require(vagus::quoted_text(line).size() >= line.size() + 2, "quoted text is in quotes");
  }
  return 0;
}

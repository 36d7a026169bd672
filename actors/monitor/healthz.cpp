#include "actors/monitor/healthz.hpp"

#include <nlohmann/json.hpp>

namespace vagus {

namespace {

struct trouble {
  unsigned status = 200;  ///< 200: none
  std::string type;
  std::string text;
};

trouble look(const parameters& wanted, bool accepting) {
  auto given = [&](std::string_view name) { return !wanted.text(name).empty(); };
  if (given("stream") && !given("account"))
    return {400, "BAD_REQUEST", "\"account\" must not be empty when checking stream health"};
  if (given("consumer") && !given("stream"))
    return {400, "BAD_REQUEST", "\"stream\" must not be empty when checking consumer health"};
  if (!accepting)
    return {500, "CONNECTION", "failed to be ready for connections after 1ms: server"};
  return {};
}

}  // namespace

http_answer healthz(parameters& wanted, bool accepting) {
  for (auto name : {"js-enabled", "js-enabled-only", "js-server-only", "js-meta-only"})
    wanted.flag(name);
  bool details = wanted.flag("details");
  if (!wanted.error().empty()) return {.status = 400, .body = wanted.error()};
  auto found = look(wanted, accepting);
  nlohmann::ordered_json status{{"status", found.status == 200 ? "ok" : "error"}};
  if (found.status != 200 && details)
    status["errors"] = {{{"type", found.type}, {"error", found.text}}};
  else if (found.status != 200)
    status["error"] = found.text;
  return {found.status, "application/json", status.dump(), true};
}

}  // namespace vagus

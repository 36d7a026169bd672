#include "actors/monitor/healthz.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace vagus {

namespace {

struct trouble {
  unsigned status = 200;  ///< 200: none
  std::string type;
  std::string text;
  std::string_view state = "error";  ///< in answers without details
};

template <class T>
const T* find_named(const std::vector<T>& all, const std::string& name) {
  auto found = std::find_if(all.begin(), all.end(), [&](auto& x) { return x.name == name; });
  return found == all.end() ? nullptr : &*found;
}

/// What is asked for by name must be there.
trouble look(const parameters& wanted, const jetstream_view& jetstream, bool by_name) {
  if (!jetstream.problem.empty()) return {503, "JETSTREAM", jetstream.problem, "unavailable"};
  auto missing = [](const char* type, std::string text) {
    return trouble{404, type, std::move(text), "unavailable"};
  };
  auto name = wanted.text("account");
  auto stream_name = wanted.text("stream");
  auto consumer_name = wanted.text("consumer");
  if (name.empty() || !by_name) return {};
  auto* account = find_named(jetstream.accounts, name);
  if (!account) return missing("ACCOUNT", fmt::format("JetStream account \"{}\" not found", name));
  if (stream_name.empty()) return {};
  auto* stream = find_named(account->streams, stream_name);
  if (!stream)
    return missing("STREAM", fmt::format("JetStream stream \"{}\" not found on account \"{}\"",
                                         stream_name, name));
  if (consumer_name.empty() || find_named(stream->consumers, consumer_name)) return {};
  return missing("CONSUMER",
                 fmt::format("JetStream consumer \"{}\" not found for stream \"{}\" on account "
                             "\"{}\"",
                             consumer_name, stream_name, name));
}

/// Where the trouble is, as far as it was asked for.
nlohmann::ordered_json described(const parameters& wanted, const trouble& found) {
  nlohmann::ordered_json result{{"type", found.type}};
  if (found.status == 404) {
    for (auto name : {"account", "stream", "consumer"}) {
      if (auto text = wanted.text(name); !text.empty()) result[name] = text;
      if (found.type == (name[0] == 'a' ? "ACCOUNT" : name[0] == 's' ? "STREAM" : "CONSUMER"))
        break;
    }
  }
  result["error"] = found.text;
  return result;
}

trouble look(const parameters& wanted, bool accepting, const jetstream_view* jetstream,
             bool by_name) {
  auto given = [&](std::string_view name) { return !wanted.text(name).empty(); };
  if (given("stream") && !given("account"))
    return {400, "BAD_REQUEST", "\"account\" must not be empty when checking stream health"};
  if (given("consumer") && !given("stream"))
    return {400, "BAD_REQUEST", "\"stream\" must not be empty when checking consumer health"};
  if (!accepting)
    return {500, "CONNECTION", "failed to be ready for connections after 1ms: server"};
  return jetstream ? look(wanted, *jetstream, by_name) : trouble{};
}

}  // namespace

http_answer healthz(parameters& wanted, bool accepting, const jetstream_view* jetstream) {
  // How much of JetStream is looked at: nothing, whether it works, or what was named too.
  bool server_only = wanted.flag("js-server-only");
  bool old_enabled_only = wanted.flag("js-enabled");
  bool enabled_only = wanted.flag("js-enabled-only") || old_enabled_only;
  wanted.flag("js-meta-only");  // of a cluster
  bool details = wanted.flag("details");
  if (!wanted.error().empty()) return {.status = 400, .body = wanted.error()};
  auto found = look(wanted, accepting, server_only ? nullptr : jetstream, !enabled_only);
  nlohmann::ordered_json status{{"status", found.status == 200 ? "ok"
                                           : details           ? "error"
                                                               : found.state}};
  if (found.status != 200 && details)
    status["errors"] = nlohmann::ordered_json::array({described(wanted, found)});
  else if (found.status != 200)
    status["error"] = found.text;
  return {found.status, "application/json", status.dump(), true};
}

}  // namespace vagus

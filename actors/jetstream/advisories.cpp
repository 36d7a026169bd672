#include "actors/jetstream/advisories.hpp"

#include "actors/internal_client.hpp"
#include "actors/jetstream/json_output.hpp"
#include "actors/jetstream/stream_info.hpp"
#include "net/nuid.hpp"

#include <fmt/format.h>

namespace vagus {

namespace {

constexpr std::string_view advisory_prefix = "$JS.EVENT.ADVISORY.";

int64_t wall_ns(connection_record::wall_clock::time_point time) {
  return std::chrono::nanoseconds{time.time_since_epoch()}.count();
}

/// `"client":{..}`, or null for what the server has asked itself.
void write_client(json_output& json, const connection_record* client, std::string_view server) {
  json.key("client");
  if (client == nullptr) return json.raw("null");
  auto texts = client->texts();
  json.begin('{');
  json.time("start", wall_ns(client->start), when::always);
  json("host", client->ip, when::not_empty);
  json("id", client->client_id, when::not_empty);
  json("acc", client->account, when::not_empty);
  json("user", texts.user, when::not_empty);
  json("name", texts.name, when::not_empty);
  json("lang", texts.lang, when::not_empty);
  json("ver", texts.version, when::not_empty);
  json("rtt", client->rtt_ns.load(), when::not_empty);
  json("server", server, when::not_empty);
  json("kind", std::string_view{"Client"}, when::always);
  json("client_type", std::string_view{"nats"}, when::always);
  json.end('}');
}

}  // namespace

template <class F>
void advisories::publish(std::string_view subject, std::string_view type, int64_t now_ns,
                         F&& write) {
  publishing out{context_};
  auto to = fmt::format("{}{}", advisory_prefix, subject);
  if (!out.is_wanted(to)) return;
  std::string body;
  json_output json{body};
  json.begin('{');
  json("type", fmt::format("io.nats.jetstream.advisory.v1.{}", type), when::always);
  json("id", make_nuid(), when::always);
  json.time("timestamp", now_ns, when::always);
  write(json);
  json("domain", js_.domain, when::not_empty);
  json.end('}');
  out.send(to, {}, body);
}

void advisories::audit(const api_request& request, std::string_view response, int64_t now_ns) {
  publish("API", "api_audit", now_ns, [&](json_output& json) {
    json("server", js_.server_name, when::always);
    write_client(json, request.client.get(), js_.server_name);
    json("subject", request.subject, when::always);
    json("request", request.payload, when::not_empty);
    json("response", response, when::always);
  });
}

void advisories::stream_action(std::string_view subject, std::string_view action,
                               std::string_view stream, int64_t now_ns) {
  publish(fmt::format("STREAM.{}.{}", subject, stream), "stream_action", now_ns,
          [&](json_output& json) {
            json("stream", stream, when::always);
            json("action", action, when::always);
          });
}

void advisories::stream_created(std::string_view stream, int64_t now_ns) {
  stream_action("CREATED", "create", stream, now_ns);
}

void advisories::stream_updated(std::string_view stream, int64_t now_ns) {
  stream_action("UPDATED", "modify", stream, now_ns);
}

void advisories::stream_deleted(std::string_view stream, int64_t now_ns) {
  stream_action("DELETED", "delete", stream, now_ns);
}

void advisories::snapshot_created(std::string_view stream, const store_state& state,
                                  uint64_t consumers, const api_request& request, int64_t now_ns) {
  publish(fmt::format("STREAM.SNAPSHOT_CREATE.{}", stream), "snapshot_create", now_ns,
          [&](json_output& json) {
            json("stream", stream, when::always);
            json.key("state");
            json.raw(to_json(state, {}, static_cast<int64_t>(consumers)));
            write_client(json, request.client.get(), js_.server_name);
          });
}

void advisories::snapshot_completed(std::string_view stream, const api_request& request,
                                    int64_t start_ns, int64_t now_ns, std::string_view error) {
  publish(fmt::format("STREAM.SNAPSHOT_COMPLETE.{}", stream), "snapshot_complete", now_ns,
          [&](json_output& json) {
            json("stream", stream, when::always);
            json.time("start", start_ns, when::always);
            json.time("end", now_ns, when::always);
            write_client(json, request.client.get(), js_.server_name);
            // The peer has it behind the domain; JSON does not mind.
            json("error", error, when::not_empty);
          });
}

void advisories::restore_created(std::string_view stream, const api_request& request,
                                 int64_t now_ns) {
  publish(fmt::format("STREAM.RESTORE_CREATE.{}", stream), "restore_create", now_ns,
          [&](json_output& json) {
            json("stream", stream, when::always);
            write_client(json, request.client.get(), js_.server_name);
          });
}

void advisories::restore_completed(std::string_view stream, const api_request& request,
                                   uint64_t bytes, int64_t start_ns, int64_t now_ns) {
  publish(fmt::format("STREAM.RESTORE_COMPLETE.{}", stream), "restore_complete", now_ns,
          [&](json_output& json) {
            json("stream", stream, when::always);
            json.time("start", start_ns, when::always);
            json.time("end", now_ns, when::always);
            json("bytes", bytes, when::always);
            write_client(json, request.client.get(), js_.server_name);
          });
}

}  // namespace vagus

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
  publish_as(fmt::format("{}{}", advisory_prefix, subject), fmt::format("advisory.v1.{}", type),
             now_ns, write);
}

template <class F>
void advisories::publish_as(const std::string& to, std::string_view type, int64_t now_ns,
                            F&& write) {
  publishing out{context_};
  if (!out.is_wanted(to)) return;
  std::string body;
  json_output json{body};
  json.begin('{');
  json("type", fmt::format("io.nats.jetstream.{}", type), when::always);
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

// ---- consumers ----

template <class F>
void advisories::of_consumer(std::string_view subject, std::string_view type,
                             std::string_view stream, std::string_view consumer, int64_t now_ns,
                             F&& write) {
  publish(fmt::format("CONSUMER.{}.{}.{}", subject, stream, consumer), type, now_ns,
          [&](json_output& json) {
            json("stream", stream, when::always);
            json("consumer", consumer, when::always);
            write(json);
          });
}

void advisories::consumer_action(std::string_view subject, std::string_view action,
                                 std::string_view stream, std::string_view consumer,
                                 int64_t now_ns) {
  of_consumer(subject, "consumer_action", stream, consumer, now_ns,
              [&](json_output& json) { json("action", action, when::always); });
}

void advisories::consumer_paused(std::string_view stream, std::string_view consumer,
                                 const consumer_config& config, int64_t now_ns) {
  of_consumer("PAUSE", "consumer_pause", stream, consumer, now_ns, [&](json_output& json) {
    json("paused", config.paused(now_ns), when::always);
    json.time("pause_until", config.pause_until, when::always);
  });
}

void advisories::max_deliveries(std::string_view stream, std::string_view consumer,
                                const exhausted_message& m, int64_t now_ns) {
  of_consumer("MAX_DELIVERIES", "max_deliver", stream, consumer, now_ns, [&](json_output& json) {
    json("stream_seq", m.stream_seq, when::always);
    json("deliveries", m.deliveries, when::always);
  });
}

void advisories::message_nacked(std::string_view stream, std::string_view consumer,
                                const answered_delivery& m, int64_t now_ns) {
  of_consumer("MSG_NAKED", "nak", stream, consumer, now_ns, [&](json_output& json) {
    json("consumer_seq", m.consumer_seq, when::always);
    json("stream_seq", m.stream_seq, when::always);
    json("deliveries", m.deliveries, when::always);
  });
}

void advisories::message_terminated(std::string_view stream, std::string_view consumer,
                                    const answered_delivery& m, std::string_view reason,
                                    int64_t now_ns) {
  of_consumer("MSG_TERMINATED", "terminated", stream, consumer, now_ns, [&](json_output& json) {
    json("consumer_seq", m.consumer_seq, when::always);
    json("stream_seq", m.stream_seq, when::always);
    json("deliveries", m.deliveries, when::always);
    json("reason", reason, when::not_empty);
  });
}

/// Of all these only this one names the account.
void advisories::pinned(std::string_view stream, std::string_view consumer, std::string_view group,
                        std::string_view id, std::string_view reason, int64_t now_ns) {
  bool gone = id.empty();
  publish(fmt::format("CONSUMER.{}.{}.{}", gone ? "UNPINNED" : "PINNED", stream, consumer),
          gone ? "consumer_group_unpinned" : "consumer_group_pinned", now_ns,
          [&](json_output& json) {
            json("account", context_.global.name, when::always);
            json("stream", stream, when::always);
            json("consumer", consumer, when::always);
            json("group", group, when::always);
            json("pinned_id", id, when::not_empty);
            json("reason", reason, when::not_empty);
          });
}

void advisories::ack_sampled(std::string_view stream, std::string_view consumer,
                             const ack_subject& m, int64_t since_ns, int64_t now_ns) {
  publish_as(fmt::format("$JS.EVENT.METRIC.CONSUMER.ACK.{}.{}", stream, consumer),
             "metric.v1.consumer_ack", now_ns, [&](json_output& json) {
               json("stream", stream, when::always);
               json("consumer", consumer, when::always);
               json("consumer_seq", m.consumer_seq, when::always);
               json("stream_seq", m.stream_seq, when::always);
               json("ack_time", now_ns - since_ns, when::always);
               json("deliveries", m.deliveries, when::always);
             });
}

}  // namespace vagus

#include "actors/jetstream/stream_info.hpp"

#include "actors/jetstream/json_output.hpp"
#include "actors/jetstream/rfc3339.hpp"

namespace vagus {

namespace {

std::optional<int64_t> shown_time(int64_t time_ns) {
  return time_ns == 0 ? std::nullopt : std::optional{time_ns};
}

/// As nats-server: of a mirror its own last sequence says how far it is.
void write_source(json_output& json, const stream_source& from, const source_status& status,
                  uint64_t seq, int64_t now_ns) {
  auto heard = status.heard_ns.load();
  json.begin('{');
  json("name", from.name, when::always);
  json("external", from.external, when::not_empty);
  json("lag", status.behind.load(), when::always);
  json("seq", seq, when::not_empty);
  json("active", heard == 0 ? int64_t{-1} : std::max<int64_t>(now_ns - heard, 0), when::always);
  if (auto error = status.error()) {
    json.key("error");
    json.raw(to_json(*error));
  }
  json("filter_subject", from.filter_subject, when::not_empty);
  json("subject_transforms", from.subject_transforms, when::not_empty);
  json.end('}');
}

void write_sources(json_output& json, const stream_info& info) {
  const auto& c = *info.config;
  if (c.mirror && info.sources.size() == 1) {
    json.key("mirror");
    write_source(json, *c.mirror, *info.sources[0], 0, info.now_ns);
  } else if (!c.sources.empty() && info.sources.size() == c.sources.size()) {
    json.key("sources");
    json.begin('[');
    for (size_t i = 0; i < c.sources.size(); ++i) {
      json.item();
      write_source(json, c.sources[i], *info.sources[i], info.sources[i]->seq, info.now_ns);
    }
    json.end(']');
  }
}

}  // namespace

std::string to_json(const store_state& state, const state_details& details,
                    int64_t consumer_count) {
  std::string out;
  json_output json{out};
  std::map<std::string, uint64_t> subjects;
  for (const auto& s : details.subjects) subjects.emplace(s.subject, s.msgs);
  json.begin('{');
  json("messages", state.msgs, when::always);
  json("bytes", state.bytes, when::always);
  json("first_seq", state.first_seq, when::always);
  json.time("first_ts", shown_time(state.first_time_ns), when::always);
  json("last_seq", state.last_seq, when::always);
  json.time("last_ts", shown_time(state.last_time_ns), when::always);
  json("num_subjects", state.num_subjects, when::not_empty);
  json("subjects", subjects, when::not_empty);
  // A stream that never had a message has not lost number 0.
  uint64_t num_deleted = state.last_seq == 0 ? 0 : state.num_deleted();
  json("num_deleted", num_deleted, when::not_empty);
  json("deleted", details.deleted, when::not_empty);
  json("consumer_count", consumer_count, when::always);
  json.end('}');
  return out;
}

std::string info_members(const stream_info& info) {
  std::string out;
  json_output json{out};
  json.key("config");
  json.raw(to_json(*info.config, info.server_metadata));
  json.time("created", info.created_ns, when::always);
  json.key("state");
  json.raw(to_json(info.state, info.details, info.consumer_count));
  json("domain", info.domain, when::not_empty);
  if (!info.leader.empty()) {
    json.key("cluster");
    json.begin('{');
    json("leader", info.leader, when::always);
    json.end('}');
  }
  write_sources(json, info);
  json.time("ts", info.now_ns, when::always);
  return out;
}

}  // namespace vagus

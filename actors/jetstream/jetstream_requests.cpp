#include "actors/jetstream/advisories.hpp"
#include "actors/jetstream/api_reply.hpp"
#include "actors/jetstream/consumer_check.hpp"
#include "actors/jetstream/jetstream.hpp"
#include "actors/jetstream/json_text.hpp"
#include "actors/jetstream/metadata.hpp"
#include "actors/jetstream/requests.hpp"
#include "actors/jetstream/stream_check.hpp"
#include "actors/jetstream/stream_info.hpp"
#include "actors/jetstream/subjects_check.hpp"
#include "net/log.hpp"
#include "net/subject.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace vagus {

namespace {

constexpr size_t names_per_page = 1024;
constexpr size_t streams_per_page = 256;

/// The part of an API subject behind its prefix ("$JS.API.", or "$JS.<domain>.API.").
std::string_view behind_prefix(std::string_view subject) {
  auto at = subject.find(".API.");
  return subject.substr(at + 5);
}

std::string_view take_token(std::string_view& rest) {
  auto dot = rest.find('.');
  auto token = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
  return token;
}

/// What each request is called in its answer; empty: it is not known, and nobody answers.
std::string_view type_of(std::string_view verb) {
  static constexpr std::pair<std::string_view, std::string_view> types[] = {
      {"STREAM.CREATE", "stream_create_response"},
      {"STREAM.UPDATE", "stream_update_response"},
      {"STREAM.INFO", "stream_info_response"},
      {"STREAM.DELETE", "stream_delete_response"},
      {"STREAM.PURGE", "stream_purge_response"},
      {"STREAM.MSG.GET", "stream_msg_get_response"},
      {"STREAM.MSG.DELETE", "stream_msg_delete_response"},
      {"STREAM.SNAPSHOT", "stream_snapshot_response"},
      {"STREAM.RESTORE", "stream_restore_response"},
      {"STREAM.LEADER.STEPDOWN", "stream_leader_stepdown_response"},
      {"STREAM.PEER.REMOVE", "stream_remove_peer_response"},
      {"STREAM.PEER.EVACUATE", "stream_evacuate_peer_response"},
      {"STREAM.CANCEL_MOVE", "stream_cancel_move_response"},
      {"STREAM.NAMES", "stream_names_response"},
      {"STREAM.LIST", "stream_list_response"},
      {"CONSUMER.CREATE", "consumer_create_response"},
      {"CONSUMER.DURABLE.CREATE", "consumer_create_response"},
      {"CONSUMER.NAMES", "consumer_names_response"},
      {"CONSUMER.LIST", "consumer_list_response"},
      {"CONSUMER.INFO", "consumer_info_response"},
      {"CONSUMER.DELETE", "consumer_delete_response"},
      {"CONSUMER.PAUSE", "consumer_pause_response"},
      {"CONSUMER.UNPIN", "consumer_unpin_response"},
      {"CONSUMER.RESET", "consumer_reset_response"},
      {"CONSUMER.LEADER.STEPDOWN", "consumer_leader_stepdown_response"},
      {"CONSUMER.PEER.REMOVE", "consumer_remove_peer_response"},
      {"CONSUMER.PEER.EVACUATE", "consumer_evacuate_peer_response"},
  };
  for (const auto& [known, type] : types)
    if (known == verb) return type;
  return {};
}

/// What only servers of a cluster can do.
bool needs_cluster(std::string_view verb) {
  return verb.ends_with(".STEPDOWN") || verb.starts_with("STREAM.PEER.") ||
         verb.starts_with("CONSUMER.PEER.") || verb == "STREAM.CANCEL_MOVE";
}

/// Splits "STREAM.MSG.GET.<stream>..." into the verb and what follows it.
std::pair<std::string_view, std::string_view> split_verb(std::string_view subject) {
  auto end = subject.find('.');
  for (int words = 1; end != std::string_view::npos && words < 3; ++words) {
    end = subject.find('.', end + 1);
    auto verb = subject.substr(0, end);
    if (!type_of(verb).empty() && !(verb == "CONSUMER.LEADER" || verb == "STREAM.MSG"))
      return {verb, end == std::string_view::npos ? std::string_view{} : subject.substr(end + 1)};
  }
  return {};
}

}  // namespace

void jetstream_state::respond(const api_request& request, std::string_view body) {
  if (!request.reply.empty()) publishing{context_}.send(request.reply, {}, body);
  advisories{context_, js_}.audit(request, body, now_ns());
}

void jetstream_state::refuse(const api_request& request, std::string_view type,
                             const api_error& why) {
  js_.api_errors.fetch_add(1, std::memory_order_relaxed);
  respond(request, api_error_reply(type, why));
}

// ---- which request it is ----

void jetstream_state::dispatch(api_request request) {
  if (ending_) return;
  auto rest = behind_prefix(request.subject);
  bool info = rest == "INFO";
  auto [verb, target] = info ? std::pair{rest, std::string_view{}} : split_verb(rest);
  if (verb.empty()) return;  // as nats-server: nobody knows it, nobody answers
  js_.api_total.fetch_add(1, std::memory_order_relaxed);
  if (asks_higher_level(request.headers))
    return refuse(request, info ? "account_info_response" : type_of(verb),
                  make_error(js_errc::required_api_level));
  if (info) return answer_account_info(request);
  if (verb == "CONSUMER.CREATE" || verb == "CONSUMER.DURABLE.CREATE")
    return create_consumer(std::string{rest.substr(rest.find('.') + 1)}, std::move(request));
  if (verb == "STREAM.NAMES") return list(request, true);
  if (verb == "STREAM.LIST") return list(request, false);
  dispatch_stream(verb, std::string{target}, std::move(request));
}

void jetstream_state::dispatch_stream(std::string_view verb, const std::string& target,
                                      api_request request) {
  std::string_view rest{target};
  auto stream = std::string{take_token(rest)};
  auto type = type_of(verb);
  if (needs_cluster(verb)) return refuse(request, type, make_error(js_errc::cluster_required));
  if (wait_if_busy(stream, type, request)) return;
  if (verb == "STREAM.CREATE") return create(stream, request);
  if (verb == "STREAM.RESTORE") return restore(stream, request);
  if (verb == "STREAM.SNAPSHOT" && is_empty_request(request.payload))
    return refuse(request, type, make_error(js_errc::bad_request));
  auto offline = start_.offline.find(stream);
  if (offline != start_.offline.end())
    return refuse(request, type,
                  make_error(js_errc::stream_offline_reason, {{"err", offline->second}}));
  if (find(stream) == nullptr) return refuse(request, type, make_error(js_errc::stream_not_found));
  if (verb == "STREAM.UPDATE") return update(stream, request);
  if (verb == "STREAM.DELETE") return remove(stream, request);
  if (verb == "STREAM.INFO") return hand_over(stream_call_kind::info, stream, request);
  if (verb == "STREAM.PURGE") return hand_over(stream_call_kind::purge, stream, request);
  if (verb == "STREAM.MSG.GET") return hand_over(stream_call_kind::msg_get, stream, request);
  if (verb == "STREAM.SNAPSHOT") return snapshot(stream, request);
  if (verb == "STREAM.MSG.DELETE") return hand_over(stream_call_kind::msg_delete, stream, request);
  hand_over(stream_call_kind::consumer, stream, request);
}

/// What speaks against the request itself comes before the question whether the stream is there.
void jetstream_state::create_consumer(const std::string& rest, api_request request) {
  constexpr std::string_view type = "consumer_create_response";
  auto subject = read_create_subject(rest);
  if (!subject) return;  // nobody answers
  consumer_request asked;
  if (auto wrong = read_json(request.payload, js_.strict, asked))
    return refuse(request, type, *wrong);
  if (auto wrong = check_consumer_request(asked, *subject)) return refuse(request, type, *wrong);
  std::string stream{subject->stream};
  if (wait_if_busy(stream, type, request)) return;
  auto offline = start_.offline.find(stream);
  if (offline != start_.offline.end())
    return refuse(request, type,
                  make_error(js_errc::stream_offline_reason, {{"err", offline->second}}));
  if (find(stream) == nullptr) return refuse(request, type, make_error(js_errc::stream_not_found));
  auto call = std::make_shared<stream_call>();
  call->kind = stream_call_kind::consumer;
  call->request = std::move(request);
  call->consumer = std::move(asked);
  caf::anon_send(find(stream)->actor, api_atom::value, stream_call_ptr{std::move(call)});
}

/// What is asked of a stream that is being made, changed or removed waits for the end of that; not
/// without bound.
bool jetstream_state::wait_if_busy(const std::string& stream, std::string_view type,
                                   api_request& request) {
  auto* e = find(stream);
  if (e == nullptr || !e->busy) return false;
  auto most = static_cast<size_t>(context_.current->opts.js_request_queue_limit);
  if (waiting_ >= most) {
    refuse(request, type, make_error(js_errc::stream_too_many_requests));
    return true;
  }
  ++waiting_;
  e->waiting.push_back(std::move(request));
  return true;
}

void jetstream_state::hand_over(stream_call_kind kind, std::string_view stream,
                                const api_request& request) {
  auto call = std::make_shared<stream_call>();
  call->kind = kind;
  call->request = request;
  caf::anon_send(find(stream)->actor, api_atom::value, stream_call_ptr{std::move(call)});
}

// ---- INFO ----

void jetstream_state::answer_account_info(const api_request& request) {
  auto use = usage({});
  respond(request,
          fmt::format(
              R"({},"memory":{},"storage":{},"reserved_memory":{},"reserved_storage":{},)"
              R"("streams":{},"consumers":{},"limits":{{"max_memory":-1,"max_storage":-1,)"
              R"("max_streams":-1,"max_consumers":-1,"max_ack_pending":-1,)"
              R"("memory_max_stream_bytes":-1,"storage_max_stream_bytes":-1,)"
              R"("max_bytes_required":false}}{},"api":{{"level":{},"total":{},"errors":{}}}}})",
              api_reply_start("account_info_response"), use.memory, use.storage,
              use.reserved.reserved_memory, use.reserved.reserved_storage, streams_.size(),
              use.consumers, js_.domain.empty() ? "" : fmt::format(R"(,"domain":"{}")", js_.domain),
              js_api_level, js_.api_total.load(), js_.api_errors.load()));
}

/// What the streams take up and have reserved, without the one named.
jetstream_state::account_usage jetstream_state::usage(std::string_view without) const {
  account_usage use;
  use.reserved.max_memory = js_.max_memory;
  use.reserved.max_storage = js_.max_storage;
  for (const auto& [stream, e] : streams_) {
    auto view = e.record->look();
    bool memory = view.config->storage == storage_type::memory;
    (memory ? use.memory : use.storage) += view.state.bytes;
    use.consumers += view.consumers;
    if (stream == without || view.config->max_bytes <= 0) continue;
    (memory ? use.reserved.reserved_memory : use.reserved.reserved_storage) +=
        view.config->max_bytes;
  }
  return use;
}

// ---- STREAM.CREATE, UPDATE, DELETE ----

bool jetstream_state::overlaps(const stream_config& config, std::string_view except) const {
  for (const auto& [stream, e] : streams_) {
    if (stream == except) continue;
    auto other = e.record->look().config;
    if (subjects_overlap(config.subjects, other->subjects)) return true;
  }
  return false;
}

stream_lookup jetstream_state::origin_lookup() {
  // A stream may take over another configuration while its last one is looked at.
  return [this, kept = std::vector<stream_config_ptr>{}](std::string_view origin) mutable {
    auto* e = find(origin);
    if (e == nullptr) return static_cast<const stream_config*>(nullptr);
    return kept.emplace_back(e->record->look().config).get();
  };
}

std::string jetstream_state::change_reply(std::string_view type, const stream_record& record,
                                          bool created) const {
  auto view = record.look();
  state_details none;
  stream_info info{view.config.get(),
                   record.created_ns,
                   view.state,
                   none,
                   static_cast<int64_t>(view.consumers),
                   {},
                   {},
                   now_ns(),
                   true,
                   view.sources};
  return fmt::format("{},{}{}}}", api_reply_start(type), info_members(info),
                     created ? R"(,"did_create":true)" : "");
}

void jetstream_state::create(const std::string& stream, const api_request& request) {
  constexpr std::string_view type = "stream_create_response";
  stream_request asked;
  if (auto wrong = read_json(request.payload, js_.strict, asked))
    return refuse(request, type, *wrong);
  if (asked.config.name != stream)
    return refuse(request, type, make_error(js_errc::stream_mismatch));
  if (auto wrong = check_create_request(asked.config)) return refuse(request, type, *wrong);
  if (auto wrong = check_stream_config(asked.config, js_.limits, asked.pedantic, origin_lookup()))
    return refuse(request, type, *wrong);
  if (start_.offline.contains(stream))
    return refuse(request, type, make_error(js_errc::stream_name_exist));
  if (auto* e = find(stream)) {
    if (same_config(asked.config, *e->record->look().config))
      return respond(request, change_reply(type, *e->record, true));
    return refuse(request, type, make_error(js_errc::stream_name_exist));
  }
  if (auto wrong = check_reservation(asked.config, usage(stream).reserved))
    return refuse(request, type, *wrong);
  if (overlaps(asked.config, stream))
    return refuse(request, type, make_error(js_errc::stream_subject_overlap));
  auto record = std::make_shared<stream_record>(
      std::make_shared<const stream_config>(std::move(asked.config)), now_ns());
  auto& e = add({stream, record});
  e.then = [=, this](const store_error& error) {
    if (!error) {
      advisories{context_, js_}.stream_created(stream, now_ns());
      return respond(request, change_reply(type, *record, true));
    }
    streams_.erase(stream);
    js_.streams.remove(stream);
    refuse(request, type,
           make_error(js_errc::stream_create,
                      {{"err", error.text.empty() ? to_text(error.code) : error.text}}));
  };
}

void jetstream_state::update(const std::string& stream, const api_request& request) {
  constexpr std::string_view type = "stream_update_response";
  auto& e = *find(stream);
  stream_request asked;
  if (auto wrong = read_json(request.payload, js_.strict, asked))
    return refuse(request, type, *wrong);
  if (asked.config.name != stream)
    return refuse(request, type, make_error(js_errc::stream_mismatch));
  auto before = e.record->look().config;
  if (auto wrong =
          check_stream_update(*before, asked.config, js_.limits, asked.pedantic, origin_lookup()))
    return refuse(request, type, *wrong);
  if (auto wrong = check_reservation(asked.config, usage(stream).reserved))
    return refuse(request, type, *wrong);
  if (overlaps(asked.config, stream))
    return refuse(request, type, make_error(js_errc::stream_subject_overlap));
  e.busy = true;
  e.then = [=, this, record = e.record](const store_error& error) {
    if (!error) {
      advisories{context_, js_}.stream_updated(stream, now_ns());
      return respond(request, change_reply(type, *record, false));
    }
    refuse(request, type,
           make_error(js_errc::stream_update,
                      {{"err", error.text.empty() ? to_text(error.code) : error.text}}));
  };
  caf::anon_send(e.actor, configure_atom::value,
                 stream_config_ptr{std::make_shared<const stream_config>(std::move(asked.config))});
}

void jetstream_state::remove(const std::string& stream, const api_request& request) {
  constexpr std::string_view type = "stream_delete_response";
  if (!is_empty_request(request.payload))
    return refuse(request, type, make_error(js_errc::not_empty_request));
  auto& e = *find(stream);
  e.busy = true;
  e.then = [=, this](const store_error& error) {
    advisories{context_, js_}.stream_deleted(stream, now_ns());
    if (!error) return respond(request, api_success_reply(type));
    log_error("JetStream stream '{} > {}' is closed, but its directory could not be removed: {}",
              context_.global.name, stream, error.text);
    refuse(request, type, make_error(js_errc::stream_delete, {{"err", error.text}}));
  };
  caf::anon_send(e.actor, remove_atom::value);
}

// ---- STREAM.NAMES and STREAM.LIST ----

void jetstream_state::list(const api_request& request, bool names_only) {
  std::string_view type = names_only ? "stream_names_response" : "stream_list_response";
  stream_names_request asked;
  if (auto wrong = read_json(request.payload, js_.strict, asked))
    return refuse(request, type, *wrong);
  auto matches = [&](const stream_config& config) {
    return asked.subject.empty() ||
           std::any_of(config.subjects.begin(), config.subjects.end(),
                       [&](const auto& s) { return subjects_overlap(s, asked.subject); });
  };
  std::vector<std::pair<std::string_view, const stream_record*>> found;
  for (const auto& [stream, e] : streams_)
    if (matches(*e.record->look().config)) found.emplace_back(stream, e.record.get());
  auto offset = std::min(static_cast<size_t>(std::max<int64_t>(asked.offset, 0)), found.size());
  auto limit = names_only ? names_per_page : streams_per_page;
  auto end = std::min(offset + limit, found.size());
  std::string items;
  for (auto i = offset; i < end; ++i) {
    if (i > offset) items += ',';
    items += names_only ? go_quoted(found[i].first) : list_item(*found[i].second);
  }
  bool null = names_only && items.empty();
  respond(request, fmt::format(R"({},"total":{},"offset":{},"limit":{},"streams":{}{}}})",
                               api_reply_start(type), found.size(), offset, limit,
                               null ? std::string{"null"} : '[' + items + ']',
                               names_only ? std::string{} : offline_member()));
}

/// As in STREAM.INFO, but the configuration is as it is stored.
std::string jetstream_state::list_item(const stream_record& record) const {
  auto view = record.look();
  state_details none;
  stream_info info{view.config.get(),
                   record.created_ns,
                   view.state,
                   none,
                   static_cast<int64_t>(view.consumers),
                   js_.domain,
                   {},
                   now_ns(),
                   false,
                   view.sources};
  return '{' + info_members(info) + '}';
}

std::string jetstream_state::offline_member() const {
  if (start_.offline.empty()) return {};
  std::string members;
  for (const auto& [stream, why] : start_.offline) {
    if (!members.empty()) members += ',';
    members += go_quoted(stream) + ':' + go_quoted(why);
  }
  return R"(,"offline":{)" + members + '}';
}

}  // namespace vagus

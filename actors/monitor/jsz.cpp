#include "actors/monitor/jsz.hpp"

#include "actors/monitor/texts.hpp"

#include <algorithm>
#include <limits>

namespace vagus {

namespace {

void render_usage(json_writer& out, const jetstream_usage& u, size_t accounts, int level) {
  out.member("memory", u.memory).member("storage", u.storage);
  out.member("reserved_memory", u.reserved_memory);
  out.member("reserved_storage", u.reserved_storage);
  out.member("accounts", accounts).member("ha_assets", 0);
  out.key("api").begin_object().member("level", level);
  out.member("total", u.api_total).member("errors", u.api_errors).end_object();
}

void render_config(json_writer& out, const jetstream_view& v) {
  out.key("config").begin_object();
  out.member("max_memory", v.max_memory).member("max_storage", v.max_storage);
  out.optional("store_dir", v.store_dir).optional("sync_interval", v.sync_interval.count());
  if (v.enabled) out.optional("sync_always", v.sync_interval.count() == 0);
  out.optional("domain", v.domain);
  if (v.enabled) out.optional("strict", v.strict);
  out.end_object();
}

void render_limits(json_writer& out, const jetstream_view& v) {
  out.key("limits").begin_object();
  out.optional("max_request_batch", v.max_request_batch);
  out.optional("max_ack_pending", v.max_ack_pending);
  out.optional("max_duplicate_window", v.max_duplicate_window.count());
  out.optional("default_max_consumers", v.default_max_consumers).end_object();
}

void render_consumers(json_writer& out, std::string_view name,
                      const std::vector<stream_view::consumer>& from) {
  if (from.empty()) return;
  std::vector<const stream_view::consumer*> sorted;
  for (auto& c : from) sorted.push_back(&c);
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->name < b->name; });
  out.key(name).begin_array();
  for (auto* c : sorted) out.json(c->info);
  out.end_array();
}

void render_stream(json_writer& out, const jsz_options& wanted, const stream_view& s,
                   const std::string& server_id) {
  out.begin_object().member("name", s.name).member("created", s.created);
  out.key("cluster").begin_object().member("leader", server_id).end_object();
  if (wanted.config) out.key("config").json(s.config);
  out.key("state").json(s.state);
  if (wanted.consumers) render_consumers(out, "consumer_detail", s.consumers);
  if (wanted.direct_consumers) render_consumers(out, "direct_consumer_detail", s.direct_consumers);
  if (!s.mirror.empty()) out.key("mirror").json(s.mirror);
  if (!s.sources.empty()) out.key("sources").json(s.sources);
  out.end_object();
}

void render_account(json_writer& out, const jsz_options& wanted, const jetstream_account_view& a,
                    const std::string& server_id) {
  out.begin_object().member("name", a.name).member("id", a.name);
  // An account has no reservation: nats-server shows its -1 as an unsigned number.
  auto usage = a.usage;
  usage.reserved_memory = usage.reserved_storage = std::numeric_limits<uint64_t>::max();
  render_usage(out, usage, 0, 0);
  if (wanted.streams && !a.streams.empty()) {
    std::vector<const stream_view*> sorted;
    for (auto& s : a.streams) sorted.push_back(&s);
    std::sort(sorted.begin(), sorted.end(), [](auto* x, auto* y) { return x->name < y->name; });
    out.key("stream_detail").begin_array();
    for (auto* s : sorted) render_stream(out, wanted, *s, server_id);
    out.end_array();
  }
  out.end_object();
}

/// The accounts that are asked for, by name, one page of them.
std::vector<const jetstream_account_view*> select(const jsz_options& wanted,
                                                  const jetstream_view& v) {
  std::vector<const jetstream_account_view*> result;
  for (auto& a : v.accounts)
    if (wanted.account.empty() ? wanted.accounts : a.name == wanted.account) result.push_back(&a);
  if (!wanted.account.empty()) return result;
  std::sort(result.begin(), result.end(), [](auto* a, auto* b) { return a->name < b->name; });
  auto begin = std::min(wanted.offset, result.size());
  auto end = begin + std::min(wanted.limit, result.size() - begin);
  return {result.begin() + static_cast<std::ptrdiff_t>(begin),
          result.begin() + static_cast<std::ptrdiff_t>(end)};
}

}  // namespace

jsz_options jsz_options::read(parameters& from) {
  jsz_options o;
  o.account = from.text("acc");
  o.accounts = from.flag("accounts");
  o.streams = from.flag("streams");
  o.consumers = from.flag("consumers");
  o.direct_consumers = from.flag("direct-consumers");
  o.config = from.flag("config");
  auto offset = from.integer("offset");
  auto limit = from.integer("limit");
  from.flag("leader-only");  // of what there is, this server is the leader
  from.flag("stream-leader-only");
  o.raft = from.flag("raft");
  o.offset = static_cast<size_t>(std::max<int64_t>(offset, 0));
  if (limit > 0) o.limit = static_cast<size_t>(limit);
  o.streams = o.streams || o.consumers;
  o.accounts = o.accounts || o.streams;
  return o;
}

std::string render_jsz(const jsz_options& wanted, const jetstream_view& v,
                       const std::string& server_id, std::chrono::system_clock::time_point now) {
  json_writer out;
  out.begin_object();
  render_usage(out, v.usage, v.accounts.size(), v.api_level);
  out.member("server_id", server_id).member("now", time_text(now));
  out.optional("disabled", !v.enabled);
  render_config(out, v);
  if (v.enabled) render_limits(out, v);
  out.member("streams", v.streams);
  if (wanted.raft) out.optional("streams_leader", v.streams);
  out.member("consumers", v.consumers);
  if (wanted.raft) out.optional("consumers_leader", v.consumers);
  out.member("messages", v.messages).member("bytes", v.bytes);
  if (auto accounts = select(wanted, v); !accounts.empty()) {
    out.key("account_details").begin_array();
    for (auto* a : accounts) render_account(out, wanted, *a, server_id);
    out.end_array();
  }
  out.member("total", v.accounts.size());
  return out.end_object().take();
}

void render_varz_jetstream(json_writer& out, const jetstream_view* v) {
  out.begin_object();
  if (v && v->enabled) {
    render_config(out, *v);
    out.key("stats").begin_object();
    render_usage(out, v->usage, v->accounts.size(), v->api_level);
    out.end_object();
    render_limits(out, *v);
  }
  out.end_object();
}

}  // namespace vagus

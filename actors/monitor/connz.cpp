#include "actors/monitor/connz.hpp"

#include "actors/monitor/json_writer.hpp"
#include "actors/monitor/subsz.hpp"
#include "actors/monitor/texts.hpp"

#include <algorithm>
#include <array>

namespace vagus {

namespace {

using sort_key = connz_options::sort_key;
using state = connz_options::connection_state;

constexpr std::array<std::pair<std::string_view, sort_key>, 15> sort_keys{{
    {"", sort_key::cid},
    {"cid", sort_key::cid},
    {"start", sort_key::cid},
    {"subs", sort_key::subs},
    {"pending", sort_key::pending},
    {"msgs_to", sort_key::msgs_to},
    {"msgs_from", sort_key::msgs_from},
    {"bytes_to", sort_key::bytes_to},
    {"bytes_from", sort_key::bytes_from},
    {"last", sort_key::last},
    {"idle", sort_key::idle},
    {"uptime", sort_key::uptime},
    {"stop", sort_key::stop},
    {"reason", sort_key::reason},
    {"rtt", sort_key::rtt},
}};

std::string lower(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

state read_state(parameters& from) {
  auto given = from.text("state");
  auto name = lower(given);
  if (name == "closed") return state::closed;
  if (name == "any" || name == "all") return state::all;
  if (!name.empty() && name != "open") from.fail("Error decoding state for " + given);
  return state::open;
}

sort_key read_sort(parameters& from, state of) {
  auto given = from.text("sort");
  auto it = std::find_if(sort_keys.begin(), sort_keys.end(),
                         [&](const auto& k) { return k.first == given; });
  if (it == sort_keys.end()) {
    from.fail("invalid sorting option: " + given);
    return sort_key::cid;
  }
  bool of_closed = it->second == sort_key::stop || it->second == sort_key::reason;
  if (of_closed && of != state::closed)
    from.fail("sort by " + given + " only valid on closed connections");
  return it->second;
}

std::chrono::nanoseconds since_epoch(wall_time t) {
  return t.time_since_epoch();
}

/// The clock of activity ticks every 100 ms only, so that it may be behind the start.
std::chrono::nanoseconds last_activity(const connection_record& r) {
  return std::max(std::chrono::nanoseconds{r.last_activity_ns.load()}, since_epoch(r.start));
}

std::chrono::nanoseconds uptime(const connection_record& r, wall_time now) {
  return (r.ended ? r.stop : now) - r.start;
}

/// What rows are ordered by, taken once: the counters go on counting while we sort.
struct sortable {
  int64_t key;
  std::string_view text;
  const connection_record_ptr* record;
};

int64_t number_for(sort_key by, const connection_record& r, wall_time now) {
  const auto& counters = r.traffic->counters;
  // Most sort the largest first.
  auto descending = [](uint64_t n) { return -static_cast<int64_t>(n); };
  switch (by) {
    case sort_key::subs:
      return descending(r.subscriptions);
    case sort_key::pending:
      return -r.traffic->pending.load();
    case sort_key::msgs_to:
      return descending(counters.out_msgs);
    case sort_key::msgs_from:
      return descending(counters.in_msgs);
    case sort_key::bytes_to:
      return descending(counters.out_bytes);
    case sort_key::bytes_from:
      return descending(counters.in_bytes);
    case sort_key::last:
      return -last_activity(r).count();
    case sort_key::idle:
      return last_activity(r).count();
    case sort_key::uptime:
      return uptime(r, now).count();
    case sort_key::stop:
      return -since_epoch(r.stop).count();
    case sort_key::rtt:
      return -r.rtt_ns.load();
    default:
      return 0;
  }
}

sortable key_of(sort_key by, const connection_record_ptr& r, wall_time now) {
  auto text = by == sort_key::reason ? to_text(r->reason) : std::string_view{};
  return {number_for(by, *r, now), text, &r};
}

bool before(const sortable& a, const sortable& b) {
  if (a.key != b.key) return a.key < b.key;
  if (a.text != b.text) return a.text < b.text;
  return (*a.record)->client_id < (*b.record)->client_id;
}

bool matches(const connz_options& wanted, const connection_record& r) {
  if (!wanted.mqtt_client.empty()) return false;  // nobody is an MQTT client
  return wanted.user.empty() || r.texts().user == wanted.user;
}

void render_counters(json_writer& out, const connection_record& r) {
  const auto& counters = r.traffic->counters;
  out.member("pending_bytes", r.ended ? 0 : std::max<int64_t>(r.traffic->pending, 0));
  out.member("in_msgs", counters.in_msgs.load()).member("out_msgs", counters.out_msgs.load());
  out.member("in_bytes", counters.in_bytes.load()).member("out_bytes", counters.out_bytes.load());
  out.optional("stalls", counters.stalls.load());
  out.member("subscriptions", r.subscriptions.load());
}

void render_subscriptions(json_writer& out, const connz_options& wanted, uint64_t cid,
                          const subscriptions_view& found) {
  if (found.list.empty()) return;
  out.key(wanted.subs_detail ? "subscriptions_list_detail" : "subscriptions_list").begin_array();
  for (const auto& s : found.list) {
    if (wanted.subs_detail)
      render_detail(out, s, cid, {});
    else
      out.value(s.subject);
  }
  out.end_array();
}

void render_row(json_writer& out, const connz_options& wanted, const connection_record& r,
                const subscriptions_view* found, wall_time now) {
  auto last = last_activity(r);
  auto until = r.ended ? r.stop : now;
  auto texts = r.texts();
  out.begin_object().member("cid", r.client_id).member("kind", "Client").member("type", "nats");
  out.member("ip", r.ip).member("port", r.port).member("start", time_text(r.start));
  out.member("last_activity",
             time_text(wall_time{std::chrono::duration_cast<wall_time::duration>(last)}));
  if (r.ended) out.member("stop", time_text(r.stop)).member("reason", to_text(r.reason));
  out.member("rtt", rtt_text(std::chrono::nanoseconds{r.rtt_ns}));
  out.member("uptime", uptime_text(uptime(r, now)));
  out.member("idle", uptime_text(since_epoch(until) - last));
  render_counters(out, r);
  out.optional("name", texts.name).optional("lang", texts.lang).optional("version", texts.version);
  if (wanted.auth) {
    out.optional("authorized_user", texts.user);
    if (r.account != "$G") out.member("account", r.account);
  }
  if (found != nullptr) render_subscriptions(out, wanted, r.client_id, *found);
  if (wanted.auth && (!r.ended || r.account != "$G")) out.member("name_tag", r.account);
  out.end_object();
}

}  // namespace

connz_options connz_options::read(parameters& from) {
  connz_options o;
  o.auth = from.flag("auth");
  o.subs_detail = lower(from.text("subs")) == "detail";
  if (!o.subs_detail) o.subs = from.flag("subs");
  o.offset = static_cast<size_t>(std::max<int64_t>(from.integer("offset"), 0));
  if (auto limit = from.integer("limit"); limit > 0) o.limit = static_cast<size_t>(limit);
  o.cid = from.number("cid");
  if (o.cid > 0) o.limit = 1;
  o.state = read_state(from);
  o.sort = read_sort(from, o.state);
  o.user = from.text("user");
  o.account = from.text("acc");
  o.mqtt_client = from.text("mqtt_client");
  return o;
}

connz_page select(const connz_options& wanted, const connections_view& from, wall_time now) {
  connz_page page;
  std::vector<sortable> found;
  auto take = [&](const std::vector<connection_record_ptr>& all, bool open) {
    for (const auto& r : all) {
      if (!wanted.account.empty() && r->account != wanted.account) continue;
      page.total += 1;
      bool is_it = wanted.cid == 0 || r->client_id == wanted.cid;
      // Who asks for an open connection by its cid gets it, whoever its user is.
      if (is_it && ((open && wanted.cid != 0) || matches(wanted, *r)))
        found.push_back(key_of(wanted.sort, r, now));
    }
  };
  if (wanted.state != state::closed) take(from.open, true);
  if (wanted.state != state::open) take(from.closed, false);
  std::sort(found.begin(), found.end(), before);
  auto begin = std::min(wanted.offset, found.size());
  auto end = begin + std::min(wanted.limit, found.size() - begin);
  for (auto i = begin; i < end; ++i) page.rows.push_back(*found[i].record);
  page.subscriptions.resize(page.rows.size());
  return page;
}

std::string render(const connz_options& wanted, const connz_page& page,
                   const std::string& server_id, wall_time now) {
  json_writer out;
  out.begin_object().member("server_id", server_id).member("now", time_text(now));
  out.member("num_connections", page.rows.size()).member("total", page.total);
  out.member("offset", wanted.offset).member("limit", wanted.limit);
  out.key("connections").begin_array();
  for (size_t i = 0; i < page.rows.size(); ++i)
    render_row(out, wanted, *page.rows[i], page.subscriptions[i].get(), now);
  return out.end_array().end_object().take();
}

}  // namespace vagus

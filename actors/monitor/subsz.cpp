#include "actors/monitor/subsz.hpp"

#include "actors/monitor/texts.hpp"
#include "net/subject.hpp"

#include <algorithm>

namespace vagus {

namespace {

double ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void render_statistics(json_writer& out, const subject_statistics& s) {
  auto matches = s.walks + s.cache_hits;
  out.member("num_subscriptions", s.subscriptions).member("num_cache", s.cached);
  out.member("num_inserts", s.inserts).member("num_removes", s.removes);
  out.member("num_matches", matches).member("cache_hit_rate", ratio(s.cache_hits, matches));
  out.member("max_fanout", s.max_fanout).member("avg_fanout", ratio(s.fanout, s.walks));
}

void render_list(json_writer& out, const subsz_options& wanted, const found_subscriptions& all) {
  size_t skip = wanted.offset;
  size_t left = wanted.limit;
  bool begun = false;
  for (size_t i = 0; i < all.of.size() && left > 0; ++i) {
    if (!all.found[i]) continue;
    const auto& list = all.found[i]->list;
    auto at = std::min(skip, list.size());
    skip -= at;
    for (; at < list.size() && left > 0; ++at, --left) {
      if (!begun) out.key("subscriptions_list").begin_array();
      begun = true;
      render_detail(out, list[at], all.of[i]->client_id, all.of[i]->account);
    }
  }
  if (begun) out.end_array();
}

}  // namespace

subsz_options subsz_options::read(parameters& from) {
  subsz_options o;
  o.subs = from.flag("subs");
  o.offset = static_cast<size_t>(std::max<int64_t>(from.integer("offset"), 0));
  if (auto limit = from.integer("limit"); limit > 0) o.limit = static_cast<size_t>(limit);
  o.account = from.text("acc");
  o.test = from.text("test");
  if (!o.test.empty() && !valid_literal_subject(o.test))
    from.fail("invalid test subject, must be valid publish subject: " + o.test);
  return o;
}

void render_detail(json_writer& out, const subscriptions_view::detail& s, uint64_t cid,
                   const std::string& account) {
  out.begin_object();
  // Without account tokens, the tag of an account is its name.
  out.optional("account", account).optional("account_tag", account);
  out.member("subject", s.subject).optional("qgroup", s.queue).member("sid", s.sid);
  out.member("msgs", s.delivered).optional("max", s.max).member("cid", cid).end_object();
}

std::string render(const subsz_options& wanted, const subject_statistics& stats,
                   const found_subscriptions& subscriptions, const std::string& server_id,
                   connection_record::wall_clock::time_point now) {
  size_t total = 0;
  for (const auto& f : subscriptions.found) total += f ? f->total : 0;
  json_writer out;
  out.begin_object().member("server_id", server_id).member("now", time_text(now));
  render_statistics(out, stats);
  out.member("total", total).member("offset", wanted.offset).member("limit", wanted.limit);
  render_list(out, wanted, subscriptions);
  return out.end_object().take();
}

}  // namespace vagus

#include "actors/jetstream/advisories.hpp"
#include "actors/jetstream/api_reply.hpp"
#include "actors/jetstream/json_text.hpp"
#include "actors/jetstream/message_lookup.hpp"
#include "actors/jetstream/requests.hpp"
#include "actors/jetstream/rfc3339.hpp"
#include "actors/jetstream/stream.hpp"
#include "actors/jetstream/stream_info.hpp"
#include "net/base64.hpp"

#include <caf/send.hpp>

namespace vagus {

namespace {

constexpr size_t max_listed_subjects = 100'000;   ///< in one answer, as nats-server
constexpr size_t max_listed_deleted = 1'000'000;  ///< sequences in one answer

/// Everything that matches, in order, from `offset` on.
std::string list_subjects(store_snapshot& from, const stream_info_request& asked,
                          state_details& into, uint64_t& total) {
  std::string after;
  auto offset = static_cast<uint64_t>(std::max<int64_t>(asked.offset, 0));
  for (;;) {
    auto page = from.subjects(asked.subjects_filter, after, 1024);
    if (!page) return page.error().text;
    if (page->empty()) return {};
    after = page->back().subject;
    for (auto& s : *page)
      if (total++ >= offset && into.subjects.size() < max_listed_subjects)
        into.subjects.push_back(std::move(s));
    if (page->size() < 1024) return {};
  }
}

std::string list_deleted(store_snapshot& from, state_details& into) {
  auto gaps = from.deleted(0, max_listed_deleted);
  if (!gaps) return gaps.error().text;
  for (const auto& gap : *gaps)
    for (auto seq = gap.first; seq <= gap.last && into.deleted.size() < max_listed_deleted; ++seq)
      into.deleted.push_back(seq);
  return {};
}

}  // namespace

void stream_state::respond(const stream_call_ptr& call, std::string_view body) {
  const auto& request = call->request;
  if (!request.reply.empty()) publishing{context_}.send(request.reply, {}, body);
  // As nats-server: a message that was asked for is in no advisory.
  if (call->kind != stream_call_kind::msg_get)
    advisories{context_, js_}.audit(request, body, now_ns());
}

void stream_state::refuse(const stream_call_ptr& call, std::string_view type,
                          const api_error& why) {
  js_.api_errors.fetch_add(1, std::memory_order_relaxed);
  respond(call, api_error_reply(type, why));
}

/// What a client published before it asks is there for it, acknowledged or not.
void stream_state::answer(const stream_call_ptr& call) {
  if (phase_ == phase::ending || phase_ == phase::closed) return;  // the server stops
  auto& last = open_ ? open_ : last_;
  // What is to be deleted is looked for when what came before is stored.
  if (!last || call->kind == stream_call_kind::msg_delete) return answer_now(call);
  last->expect_end([this, call] { answer_now(call); });
}

void stream_state::answer_now(const stream_call_ptr& call) {
  switch (call->kind) {
    case stream_call_kind::info:
      return answer_info(call);
    case stream_call_kind::purge:
      return answer_purge(call);
    case stream_call_kind::msg_get:
      return answer_msg_get(call);
    case stream_call_kind::msg_delete:
      return answer_msg_delete(call);
    case stream_call_kind::consumer:
      return consumers_.answer(call);
  }
}

// ---- STREAM.INFO ----

/// Without details the answer is there already. Details may be long lists: a storage thread makes
/// them.
void stream_state::answer_info(const stream_call_ptr& call) {
  constexpr std::string_view type = "stream_info_response";
  stream_info_request asked;
  // As nats-server does, a request that is not JSON asks for nothing special.
  if (read_json(call->request.payload, js_.strict, asked)) asked = {};
  auto view = record_->look();
  bool details = asked.deleted_details || !asked.subjects_filter.empty();
  auto render = [=, created = record_->created_ns, domain = js_.domain, leader = js_.server_name,
                 now = now_ns()](const state_details& d, uint64_t total) {
    stream_info info{view.config.get(),
                     created,
                     view.state,
                     d,
                     static_cast<int64_t>(view.consumers),
                     domain,
                     leader,
                     now,
                     true,
                     view.sources};
    bool paged = total > 0;
    return fmt::format(R"({},"total":{},"offset":{},"limit":{},{}}})", api_reply_start(type), total,
                       paged ? asked.offset : 0, paged ? max_listed_subjects : 0,
                       info_members(info));
  };
  if (!details) return respond(call, render({}, 0));
  run_on(js_.workers.next_reader(), [=, store = store_, self = stream_actor{self_}] {
    state_details d;
    uint64_t total = 0;
    std::string wrong;
    auto snapshot = store->read();
    if (!snapshot) wrong = snapshot.error().text;
    if (wrong.empty() && !asked.subjects_filter.empty())
      wrong = list_subjects(**snapshot, asked, d, total);
    if (wrong.empty() && asked.deleted_details) wrong = list_deleted(**snapshot, d);
    auto body =
        wrong.empty()
            ? render(d, total)
            : api_error_reply(type, make_error(js_errc::stream_general_error, {{"err", wrong}}));
    caf::anon_send(self, answer_atom::value,
                   api_answer_ptr{std::make_shared<api_answer>(api_answer{call, body})});
  });
}

// ---- STREAM.PURGE ----

void stream_state::answer_purge(const stream_call_ptr& call) {
  constexpr std::string_view type = "stream_purge_response";
  stream_purge_request asked;
  if (auto wrong = read_json(call->request.payload, js_.strict, asked))
    return refuse(call, type, *wrong);
  if (asked.keep > 0 && asked.seq > 0) return refuse(call, type, make_error(js_errc::bad_request));
  if (config().sealed) return refuse(call, type, make_error(js_errc::stream_sealed));
  if (config().deny_purge)
    return refuse(
        call, type,
        make_error(js_errc::stream_purge_failed, {{"err", "stream purge not permitted"}}));
  purge({{}, asked.seq, asked.keep, 0}, asked.filter, call, 0);
}

/// One step of a purge; what is left of it goes into the next batch.
void stream_state::purge(purge_proposal p, std::string filter, const stream_call_ptr& call,
                         uint64_t removed) {
  auto& batch = open_batch();
  p.filter = filter;
  batch.expect([this, filter, call, removed](const outcome& o) {
    constexpr std::string_view type = "stream_purge_response";
    if (o.error != store_errc::none)
      return refuse(call, type, error_of(stopped_ ? stopped_ : store_error{o.error, 0, {}}));
    auto total = removed + o.removed;
    if (!o.more)
      return respond(
          call, fmt::format(R"({},"success":true,"purged":{}}})", api_reply_start(type), total));
    purge({{}, o.rest.up_to, 0, o.rest.at_most}, filter, call, total);
  });
  batch.proposals.add(p);
}

// ---- STREAM.MSG.GET, STREAM.MSG.DELETE ----

void stream_state::answer_msg_get(const stream_call_ptr& call) {
  constexpr std::string_view type = "stream_msg_get_response";
  msg_get_request asked;
  if (auto wrong = read_json(call->request.payload, js_.strict, asked))
    return refuse(call, type, *wrong);
  bool nothing = asked.seq == 0 && asked.last_by_subj.empty() && asked.next_by_subj.empty() &&
                 !asked.start_time;
  bool both = !asked.last_by_subj.empty() &&
              (asked.seq > 0 || !asked.next_by_subj.empty() || asked.start_time);
  bool several = asked.batch != 0 || !asked.multi_last.empty() || asked.max_bytes != 0;
  if (nothing || both || several || (asked.seq > 0 && asked.start_time))
    return refuse(call, type, make_error(js_errc::bad_request));
  auto snapshot = store_->read();
  auto m =
      snapshot ? find_message(**snapshot, asked) : store_result<stored_message>{snapshot.error()};
  if (!m && m.error().code == store_errc::no_message)
    return refuse(call, type, make_error(js_errc::no_message_found));
  if (!m) return refuse(call, type, error_of(m.error()));
  auto body = fmt::format(R"({},"message":{{"subject":{},"seq":{})", api_reply_start(type),
                          go_quoted(m->subject), m->seq);
  if (!m->headers.empty() && !asked.no_hdr)
    body += fmt::format(R"(,"hdrs":"{}")", base64(m->headers));
  if (!m->payload.empty()) body += fmt::format(R"(,"data":"{}")", base64(m->payload));
  body += fmt::format(R"(,"time":"{}"}}}})", rfc3339(m->time_ns));
  respond(call, body);
}

/// As nats-server's stores for files tell it: not by its number but by where it would be. Empty: in
/// the middle, or the stream is in memory.
std::string_view stream_state::outside(uint64_t seq) const {
  if (config().storage != storage_type::file) return {};
  auto state = record_->look().state;
  if (seq > state.last_seq) return "stream store EOF";
  return seq == 0 || seq < state.first_seq ? "no message found" : "";
}

void stream_state::answer_msg_delete(const stream_call_ptr& call) {
  static constexpr std::string_view type = "stream_msg_delete_response";
  if (call->request.payload.empty()) return refuse(call, type, make_error(js_errc::bad_request));
  msg_delete_request asked;
  if (auto wrong = read_json(call->request.payload, js_.strict, asked))
    return refuse(call, type, *wrong);
  if (config().sealed) return refuse(call, type, make_error(js_errc::stream_sealed));
  if (config().deny_delete)
    return refuse(
        call, type,
        make_error(js_errc::stream_msg_delete_failed, {{"err", "message delete not permitted"}}));
  auto& batch = open_batch();
  batch.expect([this, call, seq = asked.seq](const outcome& o) {
    if (o.error == store_errc::none) return respond(call, api_success_reply(type));
    if (o.error != store_errc::no_message)
      return refuse(call, type, error_of(stopped_ ? stopped_ : store_error{o.error, 0, {}}));
    if (auto why = outside(seq); !why.empty())
      return refuse(call, type,
                    make_error(js_errc::stream_msg_delete_failed, {{"err", std::string{why}}}));
    refuse(call, type, make_error(js_errc::sequence_not_found, {{"seq", std::to_string(seq)}}));
  });
  batch.proposals.add(delete_proposal{asked.seq, !asked.no_erase});
}

}  // namespace vagus

#include "actors/jetstream/json_text.hpp"
#include "actors/jetstream/stream.hpp"
#include "net/log.hpp"
#include "net/protocol/frame_reader.hpp"

#include <fmt/format.h>

namespace vagus {

namespace {

/// A batch takes no more once it is that large; what follows goes into the next.
constexpr size_t full_batch = size_t{8} << 20;
/// nats-server's limit, by which clients know it: headers of a stored message.
constexpr size_t max_header_size = 64 * 1024 - 1;

}  // namespace

void stream_state::take(const frame_batch_ptr& batch) {
  client_.take(*batch);
  if (phase_ != phase::open) return client_.release(batch->total());  // nobody's any more
  bool stores = false;
  for (const auto& run : batch->runs()) {
    if (run.slot >= subscriber::standing_in) {
      consumers_.take(*batch, run);
      continue;
    }
    stores = true;
    frame_reader frames{*batch, run};
    while (frames.next()) {
      auto m = frames.message();
      if (!domain_prefix_.empty() && m.subject.starts_with(domain_prefix_))
        m.subject.remove_prefix(domain_prefix_.size());
      store_message(m);
    }
  }
  if (!stores) return client_.release(batch->total());
  open_batch().taken += batch->total();
}

stream_batch& stream_state::open_batch() {
  if (open_ && open_->size() >= full_batch && store_) hand_over();
  if (!open_ && handed_over_ > 0) {
    open_ = commits_->take_back(full_batch);
    if (open_) --handed_over_;
  }
  if (!open_) open_ = stream_batch_ptr{new stream_batch{now_ns()}};
  return *open_;
}

void stream_state::store_message(const message_view& message) {
  auto reply = config().no_ack ? std::string_view{} : message.reply;
  auto& batch = open_batch();
  if (js_.exceeded(config().storage)) {
    note_exceeded();
    if (!reply.empty()) batch.refuse(reply, make_error(js_errc::insufficient_resources));
    return;
  }
  publish_headers headers;
  if (message.header_size > 0) headers = read_publish_headers(message.headers());
  if (auto wrong = first_objection(message, headers)) {
    if (!reply.empty()) batch.refuse(reply, make_error(*wrong));
    return;
  }
  store_proposal p;
  std::string buffer;
  p.subject = transformed(message.subject, buffer);
  p.headers = message.headers();
  p.payload = message.payload();
  p.skip = config().retention == retention_policy::interest && !interest_.wanted(p.subject);
  p.wants_previous = republish_ && !p.skip && republish_->matches(p.subject);
  if (!p.headers.empty()) {
    if (auto wrong = demand(headers, p)) {
      if (reply.empty()) return;
      batch.expect_ack(reply, std::move(*wrong));
      batch.proposals.add(p);
      return;
    }
  }
  if (!reply.empty()) batch.expect_ack(reply);
  batch.proposals.add(p);
}

/// Under which subject a message is stored; `buffer` is where another one lies.
std::string_view stream_state::transformed(std::string_view subject, std::string& buffer) const {
  if (!transform_ || !transform_->matches(subject)) return subject;
  return buffer = transform_->apply(subject);
}

/// Once, until the process starts again: what an operator has to know.
void stream_state::note_exceeded() {
  if (js_.told_exceeded.exchange(true)) return;
  log_error("JetStream {} resource limits exceeded for server",
            config().storage == storage_type::memory ? "memory" : "file");
}

/// What speaks against a message before the store is asked. Which of several objections a publisher
/// is told of is nats-server's order, here and in the store.
std::optional<js_errc> stream_state::first_objection(const message_view& message,
                                                     const publish_headers& headers) const {
  const auto& c = config();
  if (c.sealed) return js_errc::stream_sealed;
  if (c.max_msg_size > 0 && message.body.size() > static_cast<size_t>(c.max_msg_size))
    return js_errc::stream_message_exceeds_maximum;
  if (headers.batch) return js_errc::atomic_publish_disabled;
  if (message.headers().size() > max_header_size) return js_errc::stream_header_exceeds_maximum;
  if (headers.increment) return js_errc::message_incr_disabled;
  if (!headers.expected_stream.empty() && headers.expected_stream != name_)
    return js_errc::stream_not_match;
  if (!headers.ttl.empty() && !c.allow_msg_ttl && parse_message_ttl(headers.ttl))
    return js_errc::message_ttl_disabled;
  if (!headers.expected_subject.empty() && !headers.expected_last_subject_seq)
    return js_errc::stream_expected_last_seq_per_subject_invalid;
  return std::nullopt;
}

/// Puts what the headers ask of the store into the proposal. An error: the message is refused for
/// it, unless the store finds something that comes before.
std::optional<api_error> stream_state::demand(const publish_headers& headers,
                                              store_proposal& p) const {
  using rollup = publish_headers::rollup_kind;
  p.msg_id = headers.msg_id;
  p.expected_last_seq = headers.expected_last_seq;
  p.expected_last_subject_seq = headers.expected_last_subject_seq;
  p.expected_subject = headers.expected_subject;
  if (!headers.expected_last_msg_id.empty()) p.expected_last_msg_id = headers.expected_last_msg_id;
  p.rollup_subject = headers.rollup == rollup::subject;
  p.rollup_all = headers.rollup == rollup::all;

  p.refused = store_proposal::refusal::after_sequences;
  if (headers.schedule) return make_error(js_errc::message_schedules_disabled);
  if (headers.stream_source) return make_error(js_errc::message_source_hdr_not_allowed);
  p.refused = store_proposal::refusal::after_ids;
  if (headers.rollup != rollup::none && (!config().allow_rollup_hdrs || config().deny_purge))
    return make_error(js_errc::stream_rollup_failed, {{"err", "rollup not permitted"}});
  if (headers.rollup == rollup::unknown)
    return make_error(js_errc::stream_rollup_failed,
                      {{"err", fmt::format("rollup value invalid: {}",
                                           go_quoted(find_header(p.headers, "Nats-Rollup")))}});
  auto ttl = parse_message_ttl(headers.ttl);
  if (!ttl && !p.skip) return make_error(js_errc::message_ttl_invalid);
  p.refused = store_proposal::refusal::none;
  p.ttl_ns = ttl.value_or(ttl_none);
  return std::nullopt;
}

}  // namespace vagus

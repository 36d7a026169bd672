#include "actors/jetstream/stream.hpp"
#include "net/log.hpp"
#include "net/protocol/frame_reader.hpp"

namespace vagus {

namespace {

/// A batch takes no more once it is that large; what follows goes into the next.
constexpr size_t full_batch = size_t{8} << 20;
/// nats-server's limit, by which clients know it: headers of a stored message.
constexpr size_t max_header_size = 64 * 1024 - 1;

}  // namespace

void stream_state::take(const frame_batch_ptr& batch) {
  client_.take(*batch);
  size_t stored = 0;
  for (const auto& run : batch->runs()) {
    frame_reader frames{*batch, run};
    while (frames.next()) {
      if (run.slot >= first_subject_slot) {
        store_message(frames.message());
        ++stored;
      } else {
        direct_get(frames.message(), run.slot);
      }
    }
  }
  if (stored > 0)
    open_batch().taken += batch->total();
  else
    client_.release(batch->total());
}

stream_batch& stream_state::open_batch() {
  if (waiting_.empty() || waiting_.back()->size() >= full_batch)
    waiting_.emplace_back(new stream_batch{now_ns()});
  return *waiting_.back();
}

void stream_state::store_message(const message_view& message) {
  if (phase_ != phase::open) return;  // on its way out: what comes now is nobody's
  auto reply = config().no_ack ? std::string_view{} : message.reply;
  auto& batch = open_batch();
  if (js_.exceeded(config().storage)) {
    note_exceeded();
    if (!reply.empty()) batch.refuse(reply, make_error(js_errc::insufficient_resources));
    return;
  }
  auto block = message.headers();
  store_proposal p;
  if (!block.empty()) {
    auto headers = read_publish_headers(block);
    api_error why;
    if (!check(message, headers, why)) {
      if (!reply.empty()) batch.refuse(reply, std::move(why));
      return;
    }
    p.msg_id = headers.msg_id;
    p.ttl_ns = *parse_message_ttl(headers.ttl);
    p.expected_last_seq = headers.expected_last_seq;
    p.expected_last_subject_seq = headers.expected_last_subject_seq;
    p.expected_subject = headers.expected_subject;
    if (!headers.expected_last_msg_id.empty())
      p.expected_last_msg_id = headers.expected_last_msg_id;
    p.rollup_subject = headers.rollup == publish_headers::rollup_kind::subject;
    p.rollup_all = headers.rollup == publish_headers::rollup_kind::all;
  } else if (config().sealed) {
    if (!reply.empty()) batch.refuse(reply, make_error(js_errc::stream_sealed));
    return;
  }
  p.subject = message.subject;
  p.headers = block;
  p.payload = message.payload();
  p.skip = config().retention == retention_policy::interest;  // nobody has a consumer here
  if (!reply.empty()) batch.expect_ack(reply);
  batch.proposals.add(p);
}

/// Once, until the process starts again: what an operator has to know.
void stream_state::note_exceeded() {
  if (js_.told_exceeded.exchange(true)) return;
  log_error("JetStream {} resource limits exceeded for server",
            config().storage == storage_type::memory ? "memory" : "file");
}

/// What can be said of a message without the store. False: `why` says what is wrong with it.
bool stream_state::check(const message_view& message, const publish_headers& headers,
                         api_error& why) const {
  using rollup = publish_headers::rollup_kind;
  auto refuse = [&](api_error error) {
    why = std::move(error);
    return false;
  };
  const auto& c = config();
  if (c.sealed) return refuse(make_error(js_errc::stream_sealed));
  if (message.headers().size() > max_header_size)
    return refuse(make_error(js_errc::stream_header_exceeds_maximum));
  if (!headers.expected_stream.empty() && headers.expected_stream != name_)
    return refuse(make_error(js_errc::stream_not_match));
  if (headers.increment) return refuse(make_error(js_errc::message_incr_disabled));
  if (headers.schedule) return refuse(make_error(js_errc::message_schedules_disabled));
  if (headers.batch) return refuse(make_error(js_errc::atomic_publish_disabled));
  if (headers.stream_source) return refuse(make_error(js_errc::message_source_hdr_not_allowed));
  if (!headers.expected_subject.empty() && !headers.expected_last_subject_seq)
    return refuse(make_error(js_errc::stream_expected_last_seq_per_subject_invalid));
  auto ttl = parse_message_ttl(headers.ttl);
  if (!ttl) return refuse(make_error(js_errc::message_ttl_invalid));
  if (*ttl != ttl_none && !c.allow_msg_ttl)
    return refuse(make_error(js_errc::message_ttl_disabled));
  if (headers.rollup == rollup::unknown)
    return refuse(make_error(js_errc::stream_rollup_failed,
                             {{"err", "rollup value invalid: " +
                                          std::string{find_header(message.headers(),
                                                                  "Nats-Rollup")}}}));
  if (headers.rollup != rollup::none && (!c.allow_rollup_hdrs || c.deny_purge))
    return refuse(make_error(js_errc::stream_rollup_failed, {{"err", "rollup not permitted"}}));
  return true;
}

}  // namespace vagus

#include "actors/jetstream/api_reply.hpp"
#include "actors/jetstream/pull_status.hpp"
#include "actors/jetstream/stream.hpp"
#include "net/log.hpp"
#include "net/protocol/frame_reader.hpp"

#include <caf/send.hpp>

namespace vagus {

// ---- whom the stream is subscribed for ----

uint64_t stream_consumers::stream_applied() const {
  return stream_.client_.applied();
}

/// Subscribes in place of a consumer that may rest, or no longer does. The caller sends the
/// changes.
void stream_consumers::substitute(const std::string& consumer, entry& e, bool wanted) {
  if (std::exchange(e.substituted, wanted) == wanted) return;
  auto change = [&](uint32_t slot, std::string_view subject) {
    if (wanted)
      stream_.client_.subscribe_unlisted(slot, subject);
    else
      stream_.client_.unsubscribe_unlisted(slot, subject);
  };
  if (e.config->ack_policy != ack_policy::none)
    change(consumer_slot::instead_of(consumer_slot::acks),
           fmt::format("$JS.ACK.{}.{}.>", stream_.name_, consumer));
  auto next = consumer_slot::instead_of(consumer_slot::pulls);
  for (const auto& prefix : stream_.js_.api_prefixes())
    change(next++, fmt::format("{}.CONSUMER.MSG.NEXT.{}.{}", prefix, stream_.name_, consumer));
}

void stream_consumers::withdraw() {
  for (auto& [name, e] : entries_) substitute(name, e, false);
}

void stream_consumers::when_applied(std::function<void()> then) {
  arrivals_.emplace_back(stream_.client_.asked(), std::move(then));
  note_applied();
}

void stream_consumers::note_applied() {
  while (!arrivals_.empty() && arrivals_.front().first <= stream_applied()) {
    auto then = std::move(arrivals_.front().second);
    arrivals_.pop_front();
    then();
  }
}

void stream_consumers::take(const frame_batch& batch, const frame_run& run) {
  bool ack =
      run.slot == consumer_slot::acks || run.slot == consumer_slot::instead_of(consumer_slot::acks);
  frame_reader frames{batch, run};
  while (frames.next()) hand_over(frames.message(), ack);
}

/// No consumer's name has a dot.
void stream_consumers::hand_over(const message_view& message, bool ack) {
  std::string_view name = message.subject.substr(message.subject.rfind('.') + 1);
  if (ack) {
    auto to = read_ack_subject(message.subject);
    if (!to) return;
    name = to->consumer;
  }
  auto at = entries_.find(name);
  if (ending_ || at == entries_.end() || !at->second.made || at->second.leaving) return;
  auto& e = at->second;
  frame_batch_ptr batch{new frame_batch{message.body.size() + 256}};
  auto slot = ack ? consumer_slot::acks : consumer_slot::pulls;
  batch->append(message, {"1", slot, 1, 0, true});
  if (e.resting) return e.hold().frames.push_back(std::move(batch));
  pass_on(at->first, e, std::move(batch));
}

/// Who asks for messages of a consumer that cannot be read is told so.
void stream_consumers::pass_on(const std::string& consumer, entry& e, frame_batch_ptr batch) {
  if (e.actor || wake(consumer, e))
    return caf::anon_send(e.actor, hand_atom::value, std::move(batch));
  auto status = status_headers("503 Consumer Not Readable");
  for (const auto& run : batch->runs()) {
    frame_reader frames{*batch, run};
    while (run.slot == consumer_slot::pulls && frames.next())
      if (auto reply = frames.message().reply; !reply.empty())
        publishing{stream_.context_}.send(reply, {}, status, static_cast<int64_t>(status.size()));
  }
}

// ---- rest ----

/// From its rows, as after a start of the server.
bool stream_consumers::wake(const std::string& consumer, entry& e) {
  auto snapshot = stream_.store_->read();
  if (!snapshot) {
    log_error("JetStream consumer '{} > {} > {}' cannot be read: {}", stream_.context_.global.name,
              stream_.name_, consumer, to_text(snapshot.error().code));
    return false;
  }
  auto ledger = read_ledger(**snapshot, consumer, *e.config);
  if (!ledger) {
    log_error("JetStream consumer '{} > {} > {}' cannot be read: its state is damaged",
              stream_.context_.global.name, stream_.name_, consumer);
    return false;
  }
  start(consumer, e, std::move(*ledger), nullptr);
  return true;
}

void stream_consumers::send(const std::string& consumer, entry& e, const consumer_call_ptr& call) {
  if (e.resting) return e.hold().calls.push_back(call);
  if (e.actor || wake(consumer, e)) return caf::anon_send(e.actor, api_atom::value, call);
  auto failed = std::make_shared<stream_call>();
  failed->kind = stream_call_kind::consumer;
  failed->request = call->request;
  bool info = call->kind == consumer_call_kind::info;
  refuse(failed, info ? "consumer_info_response" : "consumer_create_response",
         make_error(js_errc::consumer_create, "its state cannot be read"));
}

/// Until it says that it does, what comes for it waits here.
void stream_consumers::let_rest(const std::string& consumer) {
  auto at = entries_.find(consumer);
  if (ending_ || at == entries_.end() || !at->second.actor) return;
  auto& e = at->second;
  e.wants_rest = e.busy;
  if (e.busy || !e.substituted) return;
  e.busy = e.resting = true;
  caf::anon_send(e.actor, rest_atom::value);
}

void stream_consumers::note_rested(const std::string& consumer, bool rests) {
  auto at = entries_.find(consumer);
  auto& e = at->second;
  e.resting = false;
  if (rests) {
    --running_;
    unfollow(e);
    e.actor = nullptr;
  }
  if (ending_) return stream_.close_if_done();
  if (e.kept) {
    auto frames = std::exchange(e.kept->frames, {});
    auto calls = std::exchange(e.kept->calls, {});
    if (e.kept->waiting.empty()) e.kept = nullptr;
    for (auto& batch : frames) pass_on(consumer, e, std::move(batch));
    for (const auto& call : calls) send(consumer, e, call);
  }
  finish(consumer);
}

}  // namespace vagus

#include "actors/jetstream/jetstream.hpp"

#include "actors/jetstream/stream.hpp"
#include "actors/pinned_actor.hpp"
#include "actors/supervision.hpp"
#include "net/log.hpp"
#include "net/protocol/frame_reader.hpp"

#include <caf/send.hpp>

namespace vagus {

jetstream_state::jetstream_state(handle::pointer self, loop_context& context,
                                 jetstream_start start)
    : self_{self},
      context_{context},
      start_{std::move(start)},
      js_{start_.js},
      client_{context, 0} {}

jetstream_state::~jetstream_state() = default;

jetstream_actor::behavior_type jetstream_state::behavior() {
  supervise(self_);
  start();
  return {
      [this](const frame_batch_ptr& batch) { take(*batch); },
      [this](applied_atom, uint64_t count) {
        client_.note_applied(count);
        note_settled();
      },
      [this](retired_atom) {
        retired_ = true;
        end_if_empty();
      },
      [](drain_atom) { return true; },
      [this](opened_atom, const stream_outcome& o) { finish_change(o); },
      [this](configure_atom, const stream_outcome& o) { finish_change(o); },
      [this](closed_atom, const stream_outcome& o) { note_ended(o); },
      [this](end_atom) { end(); },
  };
}

void jetstream_state::start() {
  js_.api = jetstream_actor{self_};
  client_.start(subscriber_actor{jetstream_actor{self_}}, false);
  uint32_t slot = 0;
  for (const auto& prefix : js_.api_prefixes())
    // What is asked of one stream past the API (direct get) is that stream's own.
    for (const auto* rest : {"*", "STREAM.>", "CONSUMER.>", "ACCOUNT.>", "META.>", "SERVER.>"})
      client_.subscribe(slot++, fmt::format("{}.{}", prefix, rest));
  client_.send_changes();
  opening_ = start_.streams.size();
  for (auto& s : start_.streams) add(s.name, std::move(s.record), std::move(s.store));
  start_.streams.clear();
}

void jetstream_state::note_settled() {
  if (!client_.settled() || ending_) return;
  if (ready_ || opening_ > 0) return;
  ready_ = true;
  start_.ready();
}

// ---- the catalog ----

/// Streams are dealt out to the event loops in turn.
jetstream_state::entry& jetstream_state::add(std::string stream, stream_record_ptr record,
                                             std::shared_ptr<message_store> store) {
  auto& context = *start_.contexts[next_loop_++ % start_.contexts.size()];
  auto& e = streams_[stream];
  e.record = std::move(record);
  e.actor = spawn_pinned<stream_state>(self_->system(), context.loop, std::ref(context),
                                       std::ref(js_),
                                       stream_start{std::move(stream), e.record, std::move(store)});
  return e;
}

jetstream_state::entry* jetstream_state::find(std::string_view stream) {
  auto at = streams_.find(stream);
  return at == streams_.end() ? nullptr : &at->second;
}

/// A stream is there, or has changed; or could not. What was asked of it meanwhile goes on.
void jetstream_state::finish_change(const stream_outcome& outcome) {
  auto* e = find(outcome.name);
  if (e == nullptr) return;
  bool first = !ready_ && opening_ > 0;
  e->busy = false;
  auto then = std::move(e->then);
  auto waiting = std::move(e->waiting);
  e->then = nullptr;
  e->waiting.clear();
  if (then) then(outcome.error);
  for (auto& request : waiting) dispatch(std::move(request));
  end_if_empty();
  if (!first) return;
  --opening_;
  note_settled();
}

void jetstream_state::note_ended(const stream_outcome& outcome) {
  auto at = streams_.find(outcome.name);
  if (at == streams_.end()) return;
  auto e = std::move(at->second);
  streams_.erase(at);
  if (e.then) e.then(outcome.error);
  for (auto& request : e.waiting) dispatch(std::move(request));
  end_if_empty();
}

// ---- requests ----

void jetstream_state::take(const frame_batch& batch) {
  client_.take(batch);
  for (const auto& run : batch.runs()) {
    frame_reader frames{batch, run};
    while (frames.next()) {
      const auto& m = frames.message();
      dispatch({std::string{m.subject}, std::string{m.reply}, std::string{m.headers()},
                std::string{m.payload()}});
    }
  }
  client_.release(batch.total());
}

// ---- the end ----

void jetstream_state::end() {
  ending_ = true;
  client_.withdraw();
  for (auto& [stream, e] : streams_) caf::anon_send(e.actor, end_atom::value);
}

void jetstream_state::end_if_empty() {
  if (!ending_ || !retired_ || !streams_.empty()) return;
  js_.api = nullptr;
  start_.ended();
  self_->quit();
}

}  // namespace vagus

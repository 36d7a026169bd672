#include "actors/jetstream/jetstream.hpp"

#include "actors/jetstream/consumer_requests.hpp"
#include "actors/jetstream/name_hash.hpp"
#include "actors/jetstream/stream.hpp"
#include "actors/pinned_actor.hpp"
#include "actors/supervision.hpp"
#include "net/log.hpp"
#include "net/protocol/frame_reader.hpp"
#include "storage/lmdb_resident.hpp"

#include <caf/send.hpp>

namespace vagus {

namespace {

/// Stores that nobody uses for that long, or up to twice as long, give back memory.
constexpr std::chrono::seconds rest_interval{5};

}  // namespace

jetstream_state::jetstream_state(handle::pointer self, loop_context& context, jetstream_start start)
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
      [this](restored_atom, const restored_stream_ptr& restored) { finish_restore(restored); },
      [this](finished_atom, uint64_t id) { note_copied(id); },
      [this](end_atom) { end(); },
  };
}

void jetstream_state::start() {
  js_.api = jetstream_actor{self_};
  subscribe();
  opening_ = start_.streams.size();
  for (auto& s : start_.streams) add({s.name, std::move(s.record), std::move(s.store)});
  start_.streams.clear();
  context_.deadlines.schedule(*this, self_->clock().now() + rest_interval);
}

void jetstream_state::on_time(time_point now) {
  if (ending_) return;
  run_on(js_.workers.next_copier(), [] { give_back_unused_maps(); });
  context_.deadlines.schedule(*this, now + rest_interval);
}

void jetstream_state::subscribe() {
  client_.start(subscriber_actor{jetstream_actor{self_}}, {});
  client_.ask_for_publishers();
  auto owner =
      fmt::format("{}.{}", js_.domain.empty() ? "_" : js_.domain, name_hash(context_.global.name));
  client_.subscribe(slot::long_acks, fmt::format("$JS.ACK.{}.*.*.*.*.*.*.>", owner));
  client_.subscribe(slot::long_flow, fmt::format("$JS.FC.{}.*.*.*", owner));
  uint32_t next = slot::requests;
  for (const auto& prefix : js_.api_prefixes())
    // What is asked past the API (direct gets, CONSUMER.MSG.NEXT) streams and consumers take.
    for (const auto* rest :
         {"*", "STREAM.>", "CONSUMER.CREATE.>", "CONSUMER.DURABLE.>", "CONSUMER.NAMES.>",
          "CONSUMER.LIST.>", "CONSUMER.INFO.>", "CONSUMER.DELETE.>", "CONSUMER.PAUSE.>",
          "CONSUMER.UNPIN.>", "CONSUMER.RESET.>", "CONSUMER.LEADER.>", "CONSUMER.PEER.>",
          "ACCOUNT.>", "META.>", "SERVER.>"})
      client_.subscribe(next++, fmt::format("{}.{}", prefix, rest));
  client_.send_changes();
}

void jetstream_state::note_settled() {
  if (!client_.settled() || ending_) return;
  if (ready_ || opening_ > 0) return;
  ready_ = true;
  start_.ready();
}

// ---- the catalog ----

/// Streams are dealt out to the event loops in turn.
jetstream_state::entry& jetstream_state::add(stream_start start) {
  auto& context = next_loop();
  auto& e = streams_[start.name];
  js_.streams.add(start.name, start.record);
  e.record = start.record;
  e.actor = spawn_pinned<stream_state>(self_->system(), context.loop, std::ref(context),
                                       std::ref(js_), std::move(start));
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
  waiting_ -= waiting.size();
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
  js_.streams.remove(outcome.name);
  waiting_ -= e.waiting.size();
  if (e.then) e.then(outcome.error);
  for (auto& request : e.waiting) dispatch(std::move(request));
  end_if_empty();
}

// ---- requests ----

void jetstream_state::take(const frame_batch& batch) {
  client_.take(batch);
  auto client = std::static_pointer_cast<const connection_record>(batch.publisher);
  for (const auto& run : batch.runs()) {
    frame_reader frames{batch, run};
    while (frames.next()) {
      const auto& m = frames.message();
      if (run.slot < slot::requests)
        forward(m, client.get());
      else
        dispatch({std::string{m.subject}, std::string{m.reply}, std::string{m.headers()},
                  std::string{m.payload()}, client});
    }
  }
  client_.release(batch.total());
}

/// Consumers are subscribed to the subjects without domain and account only, which are those that
/// they tell; this is for clients of servers that tell others.
void jetstream_state::forward(const message_view& message, const connection_record* client) {
  publishing out{context_};
  auto reached = out.send(short_consumer_subject(message.subject), message.reply, message.body,
                          message.header_size);
  bool headers = client == nullptr || client->traffic->headers;
  if (reached > 0 || message.reply.empty() || !headers) return;
  auto block = fmt::format("NATS/1.0 503\r\nNats-Subject: {}\r\n\r\n", message.subject);
  out.send(message.reply, {}, block, static_cast<int64_t>(block.size()));
}

// ---- the end ----

void jetstream_state::end() {
  ending_ = true;
  client_.withdraw();
  for (auto& [stream, e] : streams_) caf::anon_send(e.actor, end_atom::value);
  for (auto& [id, copy] : copies_) caf::anon_send(copy, end_atom::value);
}

void jetstream_state::end_if_empty() {
  if (!ending_ || !retired_ || !streams_.empty() || !copies_.empty()) return;
  js_.api = nullptr;
  start_.ended();
  self_->quit();
}

}  // namespace vagus

#include "actors/jetstream/stream_reader.hpp"

#include "actors/jetstream/message_lookup.hpp"
#include "actors/jetstream/metadata.hpp"
#include "actors/supervision.hpp"
#include "net/protocol/frame_reader.hpp"

#include <caf/send.hpp>
#include <fmt/format.h>

namespace vagus {

namespace {

/// Messages that one turn sends for a batched get.
constexpr size_t messages_per_turn = 512;
/// Batched gets of one stream that may wait for each other.
constexpr size_t max_waiting_gets = 1024;
constexpr std::string_view direct_get_prefix = "DIRECT.GET.";
/// Not a name that a client would think of.
constexpr std::string_view readers_queue = "$JS.DIRECT.GET";

/// Without `multi_last` a request names one way to find its first message, and no more.
bool makes_sense(const msg_get_request& r) {
  if (!r.multi_last.empty())
    return r.last_by_subj.empty() && r.next_by_subj.empty() && !r.start_time &&
           !(r.up_to_seq > 0 && r.up_to_time);
  if (!r.last_by_subj.empty()) return r.seq == 0 && r.next_by_subj.empty() && !r.start_time;
  return !(r.seq > 0 && r.start_time);
}

bool says_nothing(const msg_get_request& r) {
  return r.seq == 0 && r.last_by_subj.empty() && r.next_by_subj.empty() && !r.start_time &&
         r.multi_last.empty();
}

}  // namespace

stream_reader_state::stream_reader_state(handle::pointer self, loop_context& context,
                                         jetstream_context& js, reader_start start)
    : self_{self},
      context_{context},
      js_{js},
      stream_{std::move(start.stream)},
      asked_{std::move(start.asked)},
      store_{std::move(start.store)},
      owner_{std::move(start.owner)},
      client_{context, 0} {}

stream_reader_state::~stream_reader_state() = default;

stream_reader_actor::behavior_type stream_reader_state::behavior() {
  supervise(self_);
  subscribe();
  return {
      [this](const frame_batch_ptr& batch) { take(*batch); },
      [this](applied_atom, uint64_t count) {
        client_.note_applied(count);
        if (client_.settled() && store_) caf::anon_send(owner_, ready_atom::value);
      },
      [this](retired_atom) { self_->quit(); },
      [](drain_atom) { return true; },
      [this](continue_atom) { continue_gets(); },
      [this](end_atom) { end(); },
  };
}

/// Two slots for each prefix of the API: without and with a subject.
void stream_reader_state::subscribe() {
  client_.start(subscriber_actor{stream_reader_actor{self_}}, {.one_per_loop = true});
  uint32_t slot = 0;
  for (const auto& prefix : js_.api_prefixes()) {
    auto subject = fmt::format("{}.{}{}", prefix, direct_get_prefix, asked_);
    client_.subscribe(slot++, subject, readers_queue);
    client_.subscribe(slot++, subject + ".>", readers_queue);
  }
  client_.send_changes();
}

/// The store is let go at once, so that the stream can close it; the actor stays until no publisher
/// can have anything for it.
void stream_reader_state::end() {
  store_ = nullptr;
  gets_.clear();
  client_.withdraw();
  caf::anon_send(owner_, ended_atom::value);
  owner_ = nullptr;
}

void stream_reader_state::take(const frame_batch& batch) {
  client_.take(batch);
  for (const auto& run : batch.runs()) {
    frame_reader frames{batch, run};
    while (frames.next()) answer(frames.message(), run.slot);
  }
  client_.release(batch.total());
}

void stream_reader_state::answer(const message_view& message, uint32_t slot) {
  if (message.reply.empty() || !store_) return;
  direct_answer made;
  auto refuse = [&](std::string_view status) {
    made.status(status);
    publishing{context_}.send(message.reply, {}, made.body(), made.header_size());
  };
  if (asks_higher_level(message.headers())) return refuse("412 Required Api Level");
  msg_get_request request;
  if (read_json(message.payload(), false, request)) return refuse("408 Malformed Request");
  if (slot % 2 == 1) {
    auto at = message.subject.find(direct_get_prefix) + direct_get_prefix.size();
    request = {};
    request.last_by_subj = message.subject.substr(at + asked_.size() + 1);
  }
  if (says_nothing(request)) return refuse("408 Empty Request");
  if (!makes_sense(request)) return refuse("408 Bad Request");
  if (request.batch == 0 && request.multi_last.empty()) return get_one(message.reply, request);
  if (gets_.size() >= max_waiting_gets) return refuse("429 Too Many Requests");
  gets_.emplace_back(stream_, std::string{message.reply}, std::move(request),
                     context_.current->opts.max_pending / 4);
  if (gets_.size() == 1) self_->send(stream_reader_actor{self_}, continue_atom::value);
}

void stream_reader_state::get_one(std::string_view reply, const msg_get_request& request) {
  direct_answer made;
  auto snapshot = store_->read();
  auto m =
      snapshot ? find_message(**snapshot, request) : store_result<stored_message>{snapshot.error()};
  publishing out{context_};
  if (!m) {
    made.status(m.error().code == store_errc::no_message ? "404 Message Not Found"
                                                         : "503 Message Not Readable");
    out.send(reply, {}, made.body(), made.header_size());
  } else if (request.no_hdr) {
    out.send(reply, {}, m->payload);
  } else {
    made.make(stream_, *m);
    out.send(reply, {}, made.body(), made.header_size());
  }
}

/// The first of the gets that wait has a turn, then it is the next one's.
void stream_reader_state::continue_gets() {
  if (gets_.empty() || !store_) return;
  auto get = std::move(gets_.front());
  gets_.pop_front();
  auto snapshot = store_->read();
  if (snapshot) {
    publishing out{context_};
    bool more = get.run(**snapshot, messages_per_turn,
                        [&](std::string_view reply, const direct_answer& made) {
                          out.send(reply, {}, made.body(), made.header_size());
                        });
    if (more) gets_.push_back(std::move(get));
  } else {
    gets_.push_back(std::move(get));  // no reader was free: the next turn finds one
  }
  if (!gets_.empty()) self_->send(stream_reader_actor{self_}, continue_atom::value);
}

}  // namespace vagus

#include "actors/jetstream/message_lookup.hpp"
#include "actors/jetstream/metadata.hpp"
#include "actors/jetstream/requests.hpp"
#include "actors/jetstream/stream.hpp"

#include <caf/send.hpp>

namespace vagus {

namespace {

/// Messages that one turn sends for a batched get.
constexpr size_t messages_per_turn = 512;
/// Batched gets of one stream that may wait for each other.
constexpr size_t max_waiting_gets = 1024;
constexpr std::string_view direct_get_prefix = "DIRECT.GET.";

/// Without `multi_last` a request names one way to find its first message, and no more.
bool makes_sense(const msg_get_request& r) {
  if (!r.multi_last.empty())
    return r.last_by_subj.empty() && r.next_by_subj.empty() && !r.start_time &&
           !(r.up_to_seq > 0 && r.up_to_time);
  if (!r.last_by_subj.empty())
    return r.seq == 0 && r.next_by_subj.empty() && !r.start_time;
  return !(r.seq > 0 && r.start_time);
}

bool says_nothing(const msg_get_request& r) {
  return r.seq == 0 && r.last_by_subj.empty() && r.next_by_subj.empty() && !r.start_time &&
         r.multi_last.empty();
}

}  // namespace

void stream_state::subscribe_direct(bool wanted) {
  uint32_t slot = 0;
  for (const auto& prefix : js_.api_prefixes()) {
    auto subject = fmt::format("{}.{}{}", prefix, direct_get_prefix, name_);
    if (wanted) {
      client_.subscribe(slot, subject);
      client_.subscribe(slot + 1, subject + ".>");
    } else {
      client_.unsubscribe(slot);
      client_.unsubscribe(slot + 1);
    }
    slot += 2;
  }
}

/// A direct get is answered by the stream itself, past the JetStream API (ADR-31).
void stream_state::direct_get(const message_view& message, uint32_t slot) {
  if (message.reply.empty() || !store_) return;
  direct_answer answer;
  auto refuse = [&](std::string_view status) {
    answer.status(status);
    publishing{context_}.send(message.reply, {}, answer.body(), answer.header_size());
  };
  if (asks_higher_level(message.headers())) return refuse("412 Required Api Level");
  msg_get_request request;
  if (read_json(message.payload(), false, request)) return refuse("408 Malformed Request");
  if (slot % 2 == 1) {
    auto at = message.subject.find(direct_get_prefix) + direct_get_prefix.size();
    request = {};
    request.last_by_subj = message.subject.substr(at + name_.size() + 1);
  }
  if (says_nothing(request)) return refuse("408 Empty Request");
  if (!makes_sense(request)) return refuse("408 Bad Request");
  if (request.batch == 0 && request.multi_last.empty()) return get_one(message.reply, request);
  if (gets_.size() >= max_waiting_gets) return refuse("429 Too Many Requests");
  gets_.emplace_back(name_, std::string{message.reply}, std::move(request),
                     context_.current->opts.max_pending / 4);
  if (gets_.size() == 1) self_->send(stream_actor{self_}, continue_atom::value);
}

void stream_state::get_one(std::string_view reply, const msg_get_request& request) {
  direct_answer answer;
  auto snapshot = store_->read();
  auto m = snapshot ? find_message(**snapshot, request)
                    : store_result<stored_message>{snapshot.error()};
  publishing out{context_};
  if (!m) {
    answer.status(m.error().code == store_errc::no_message ? "404 Message Not Found"
                                                           : "503 Message Not Readable");
    out.send(reply, {}, answer.body(), answer.header_size());
  } else if (request.no_hdr) {
    out.send(reply, {}, m->payload);
  } else {
    answer.make(name_, *m);
    out.send(reply, {}, answer.body(), answer.header_size());
  }
}

/// The first of the gets that wait has a turn, then it is the next one's.
void stream_state::continue_gets() {
  if (gets_.empty() || !store_) return;
  auto get = std::move(gets_.front());
  gets_.pop_front();
  auto snapshot = store_->read();
  if (snapshot) {
    publishing out{context_};
    bool more = get.run(**snapshot, messages_per_turn,
                        [&](std::string_view reply, const direct_answer& answer) {
                          out.send(reply, {}, answer.body(), answer.header_size());
                        });
    if (more) gets_.push_back(std::move(get));
  } else {
    gets_.push_back(std::move(get));  // no reader was free: the next turn finds one
  }
  if (!gets_.empty()) self_->send(stream_actor{self_}, continue_atom::value);
}

}  // namespace vagus

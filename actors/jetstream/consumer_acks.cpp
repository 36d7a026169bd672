#include "actors/jetstream/advisories.hpp"
#include "actors/jetstream/api_reply.hpp"
#include "actors/jetstream/consumer.hpp"
#include "actors/jetstream/dead_letter.hpp"
#include "actors/jetstream/pull_status.hpp"
#include "net/log.hpp"
#include "net/protocol/frame_reader.hpp"

#include <caf/send.hpp>

#include <random>

namespace vagus {

void consumer_state::take(const frame_batch_ptr& batch) {
  client_->take(*batch);
  if (phase_ == phase::resting)
    caf::anon_send(owner_, hand_atom::value, batch);
  else
    take_frames(*batch);
  client_->release(batch->total());
}

void consumer_state::take_frames(const frame_batch& batch) {
  if (phase_ != phase::open) return;
  active_ns_ = now_ns();
  looked_ahead_ = false;
  expire();
  for (const auto& run : batch.runs()) {
    frame_reader frames{batch, run};
    while (frames.next()) {
      if (run.slot == slot::acks)
        take_ack(frames.message());
      else if (run.slot == slot::flow && config().push())
        take_flow_answer();
      else
        take_next(frames.message());
    }
  }
  report_exhausted();
  publish_effects(effects_);
}

// ---- CONSUMER.MSG.NEXT ----

/// A request that does not wait is answered by what is to come, which only who follows knows.
void consumer_state::look_ahead() {
  follow();
  if (looked_ahead_ || (informed_ && !(uncertain_ && num_pending_ == 0))) return;
  looked_ahead_ = true;
  if (auto snapshot = store_->read()) recount(**snapshot);
}

void consumer_state::take_next(const message_view& message) {
  if (message.reply.empty()) return;
  if (config().push()) {
    effects_.statuses.push_back(
        {std::string{message.reply}, status_headers("409 Consumer is push based")});
    return;
  }
  look_ahead();
  {
    snapshot_guard guard;
    pulls_.add(message.reply, message.payload(), standing(now_ns()), effects_);
  }
  at_end_ = false;
}

// ---- acknowledgements ----

void consumer_state::take_ack(const message_view& message) {
  auto to = read_ack_subject(message.subject);
  if (!to || to->consumer != name_) return;
  accept(*to, read_ack_body(message.payload()), message);
}

void consumer_state::accept(const ack_subject& to, const ack_body& body,
                            const message_view& message) {
  auto now = active_ns_;
  answered_delivery answered{to.stream_seq, to.consumer_seq, to.deliveries};
  auto outcome = ack_outcome::unchanged;
  switch (body.kind) {
    case ack_kind::ack:
    case ack_kind::next: {
      auto since = ledger_.waiting_since(to.stream_seq);
      outcome = ledger_.ack(answered, now, done_);
      if (since) report_sample(to, *since);
      break;
    }
    case ack_kind::nak:
      if (!body.bad_delay.empty())
        log_warning(
            "JetStream consumer '{} > {} > {}' got a -NAK with the delay \"{}\", which is none",
            context_.global.name, stream_, name_, body.bad_delay);
      outcome = ledger_.nak(answered, body.delay_ns, now, exhausted_);
      if (outcome == ack_outcome::accepted)
        advisories{context_, js_}.message_nacked(stream_, name_, answered, now);
      break;
    case ack_kind::in_progress:
      outcome = ledger_.in_progress(answered, now);
      break;
    case ack_kind::term:
      outcome = ledger_.ack(answered, now, done_);
      advisories{context_, js_}.message_terminated(stream_, name_, answered, body.reason, now);
      if (outcome == ack_outcome::accepted)
        send_dead_letter(to.stream_seq, to.deliveries, "terminated", body.reason);
      break;
    case ack_kind::unknown:  // as nats-server: of no effect, but answered
      break;
  }
  at_end_ = false;
  if (body.kind == ack_kind::next && !message.reply.empty()) {
    look_ahead();
    snapshot_guard guard;
    pulls_.add(message.reply, body.next, standing(now_ns()), effects_);
  } else if (!message.reply.empty() && outcome != ack_outcome::beyond) {
    ack_replies_.emplace_back(message.reply);
  }
}

/// With one acknowledgement for many nothing is sampled.
void consumer_state::report_sample(const ack_subject& to, int64_t since_ns) {
  auto percent = config().sampled_percent();
  if (percent <= 0 || config().ack_policy != ack_policy::explicit_acks) return;
  thread_local std::minstd_rand random{std::random_device{}()};
  if (percent < 100 && static_cast<int>(random() % 100) > percent) return;
  advisories{context_, js_}.ack_sampled(stream_, name_, to, since_ns, now_ns());
}

void consumer_state::report_exhausted() {
  for (const auto& m : exhausted_) {
    advisories{context_, js_}.max_deliveries(stream_, name_, m, now_ns());
    send_dead_letter(m.stream_seq, m.deliveries, "max_deliver", {});
    if (retention_ == retention_policy::interest) spent_.push_back(m.stream_seq);
  }
  exhausted_.clear();
}

/// Before it is stored that the message is given up: after a crash in between it goes out again.
void consumer_state::send_dead_letter(uint64_t seq, uint64_t deliveries, std::string_view cause,
                                      std::string_view reason) {
  auto to = dead_letter_subject(config());
  if (to.empty()) return;
  auto snapshot = store_->read();
  auto m = snapshot ? (*snapshot)->message(seq) : store_result<stored_message>{snapshot.error()};
  if (!m) {
    if (m.error().code != store_errc::no_message)
      log_error("JetStream consumer '{} > {} > {}' has no dead letter of message {}: {}",
                context_.global.name, stream_, name_, seq, to_text(m.error().code));
    return;
  }
  auto body = dead_letter_headers({stream_, name_, cause, reason, deliveries}, *m);
  auto header_size = static_cast<int64_t>(body.size());
  body += m->payload;
  publishing{context_}.send(to, {}, body, header_size);
}

// ---- what is committed of it ----

/// One change at a time is on its way; what comes meanwhile goes with the next.
void consumer_state::flush_changes() {
  if (in_flight_) return;
  flush_at_ns_ = 0;
  auto change = std::make_shared<consumer_change>();
  change->consumer = name_;
  change->floor = ledger_.ack_floor().stream;
  auto row = ledger_.take_row();
  if (keeps_rows()) change->row = std::move(row);
  if (removes_messages()) change->done = std::move(done_);
  done_.clear();
  change->exhausted = std::move(spent_);
  spent_.clear();
  change->replies = std::move(ack_replies_);
  ack_replies_.clear();
  answers_stored_ = std::exchange(answers_, {});
  if (std::exchange(tells_state_, false)) change->state = ledger_.state();
  if (!change->row && change->done.empty() && change->exhausted.empty() && !change->state)
    return note_stored(change, true);
  in_flight_ = true;
  caf::anon_send(owner_, rows_atom::value, consumer_change_ptr{std::move(change)});
}

void consumer_state::note_stored(const consumer_change_ptr& change, bool stored) {
  in_flight_ = false;
  refused_ = !stored;
  if (stored) {
    publishing out{context_};
    for (const auto& reply : change->replies) out.send(reply, {}, {});
    for (const auto& a : std::exchange(answers_stored_, {})) respond(a.request, a.body);
  } else {
    // Who waits for an answer to an acknowledgement gets none, and asks again.
    auto failed = make_error(js_errc::stream_store_failed, {{"err", "consumer's state"}});
    for (const auto& a : std::exchange(answers_stored_, {}))
      respond(a.request, api_error_reply("consumer_reset_response", failed));
    if (change->row) ledger_.rows_lost();
    done_.insert(done_.begin(), change->done.begin(), change->done.end());
    spent_.insert(spent_.begin(), change->exhausted.begin(), change->exhausted.end());
    tells_state_ = tells_state_ || change->state.has_value();
    flush_at_ns_ = now_ns() + 1'000'000'000;
  }
  if (phase_ == phase::ending) {
    if (stored && !deleted_ && (ledger_.changed() || !done_.empty())) flush_changes();
    end_if_done();
  }
}

}  // namespace vagus

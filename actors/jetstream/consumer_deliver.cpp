#include "actors/jetstream/advisories.hpp"
#include "actors/jetstream/consumer.hpp"
#include "net/log.hpp"

#include <caf/send.hpp>
#include <fmt/compile.h>

#include <iterator>

namespace vagus {

namespace {

/// Messages that one turn delivers; others have a turn in between.
constexpr size_t messages_per_turn = 512;
/// Bytes after which a turn ends.
constexpr size_t bytes_per_turn = size_t{4} << 20;

/// To which others can be added.
std::string_view headers_of(const stored_message& m) {
  return m.headers.empty() ? "NATS/1.0\r\n\r\n" : m.headers;
}

}  // namespace

bool consumer_state::has_demand() const {
  return config().push() ? push_ready() : !pulls_.empty();
}

bool consumer_state::may_deliver() const {
  if (stalls_ > 0 || !has_demand() || at_end_) return false;
  auto now = now_ns();
  return !config().paused(now) && not_before_ns_ <= now;
}

pull_standing consumer_state::standing(int64_t now) const {
  pull_standing s;
  s.now_ns = now;
  s.num_pending = num_pending_;
  s.num_queued = ledger_.num_queued();
  s.num_ack_pending = ledger_.num_ack_pending();
  s.last_consumer_seq = ledger_.delivered().consumer;
  s.last_stream_seq = ledger_.next_seq() - 1;
  return s;
}

/// Delivers what may be delivered now, or a good part of it.
void consumer_state::deliver() {
  if (has_demand()) follow();
  if (config().paused(now_ns()) && !at_end_ && !pulls_.empty()) {
    at_end_ = true;  // as long as it is paused
    tend();
  }
  if (!may_deliver() || !informed_) return;
  bool more = true;
  turn_ns_ = now_ns();  // one look at the clock for all that goes out
  {
    auto snapshot = store_->read();
    if (!snapshot) {
      more = true;  // no reader was free: the next turn finds one
    } else {
      auto& in = **snapshot;
      if (counted_at_ == in.meta().applied) uncertain_ = false;
      if (uncertain_ && in.meta().applied >= told_ && now_ns() - recounted_ns_ >= 250'000'000)
        recount(in);
      walked_ = std::max(walked_, in.meta().applied);
      snapshot_guard guard;
      body_.clear();
      sent_bytes_ = 0;
      unwanted_ = false;
      for (size_t n = 0; more && n < messages_per_turn && sent_bytes_ < bytes_per_turn; ++n)
        more = deliver_one(in);
      if ((at_end_ || unwanted_) && !pulls_.empty()) {
        auto now = standing(turn_ns_);
        pulls_.tend(!config().push(), now, effects_);
      }
      flush_deliveries();
    }
  }
  report_exhausted();
  publish_effects(effects_);
  if (more && may_deliver() && !continuing_) {
    continuing_ = true;
    self_->send(consumer_actor{self_}, continue_atom::value);
  }
}

/// False: nothing more may be delivered now.
bool consumer_state::deliver_one(store_snapshot& in) {
  if (!has_demand()) return false;
  if (auto again = ledger_.next_redelivery(exhausted_)) return deliver_again(in, *again);
  if (!ledger_.may_deliver_new()) return false;
  return deliver_new(in);
}

bool consumer_state::deliver_again(store_snapshot& in, uint64_t seq) {
  auto m = in.message(seq);
  if (!m) {
    if (m.error().code == store_errc::corrupt)
      log_error("JetStream consumer '{} > {} > {}' passes over message {}: it is damaged",
                context_.global.name, stream_, name_, seq);
    ledger_.forget(seq);
    return true;
  }
  auto deliveries = ledger_.state().pending.find(seq)->deliveries + 1;
  return hand_out(*m, deliveries, num_pending_);
}

bool consumer_state::deliver_new(store_snapshot& in) {
  auto m = feed_.next(in, ledger_.next_seq());
  if (!m && m.error().code == store_errc::corrupt) {
    log_error("JetStream consumer '{} > {} > {}' passes over message {}: it is damaged",
              context_.global.name, stream_, name_, m.error().seq);
    ledger_.pass_to(m.error().seq + 1);
    return true;
  }
  if (!m) {
    if (m.error().code != store_errc::no_message) return false;
    at_end_ = true;
    ledger_.pass_to(in.state().last_seq + 1);
    // Exact again, whatever was counted.
    if (in.meta().applied == told_) {
      num_pending_ = 0;
      counted_to_ = in.state().last_seq;
      uncertain_ = false;
    }
    return false;
  }
  if (wait_for_pace(*m)) return false;
  bool counted = m->seq <= counted_to_;
  auto left = counted && num_pending_ > 0 ? num_pending_ - 1 : num_pending_;
  if (!hand_out(*m, 1, left)) return false;
  num_pending_ = left;
  return true;
}

/// Replay at the original pace. True: later.
bool consumer_state::wait_for_pace(const stored_message& m) {
  if (config().replay_policy == replay_policy::original && replayed_ns_ != 0) {
    auto due = replayed_at_ns_ + (m.time_ns - replayed_ns_);
    if (due > turn_ns_) {
      not_before_ns_ = due;
      return true;
    }
  }
  replayed_ns_ = m.time_ns;
  replayed_at_ns_ = turn_ns_;
  return false;
}

/// No more than so many bits in a second, of which as much as the stream's largest message may go
/// out at once. One that is even larger (with its subjects) goes when nothing else has for long.
/// True: later.
bool consumer_state::wait_for_rate(const stored_message& m) {
  auto largest = record_->look().config->max_msg_size;
  auto burst = static_cast<size_t>(largest > 0 ? largest : context_.current->opts.max_payload);
  auto size = m.subject.size() + reply_.size() + m.headers.size();
  if (!config().headers_only) size += m.payload.size();
  auto time_of = [&](size_t bytes) {
    return static_cast<int64_t>(8e9 * static_cast<double>(bytes) /
                                static_cast<double>(config().rate_limit_bps));
  };
  auto due = paid_until_ns_ - time_of(burst - std::min(burst, size));
  if (due > turn_ns_) {
    not_before_ns_ = due;
    return true;
  }
  paid_until_ns_ = std::max(paid_until_ns_, turn_ns_) + time_of(size);
  return false;
}

/// What counts against `max_bytes` of a request, besides subjects. A pin id does not, as in
/// nats-server.
size_t consumer_state::size_sent(const stored_message& m) const {
  if (!config().headers_only) return m.headers.size() + m.payload.size();
  return headers_of(m).size() +
         fmt::formatted_size(FMT_COMPILE("Nats-Msg-Size: {}\r\n"), m.payload.size());
}

/// Gives the message to whoever is next. False: to nobody.
bool consumer_state::hand_out(const stored_message& m, uint64_t deliveries, uint64_t pending) {
  reply_.clear();
  fmt::format_to(std::back_inserter(reply_), FMT_COMPILE("{}{}.{}.{}.{}.{}"), ack_head_, deliveries,
                 m.seq, ledger_.delivered().consumer + 1, m.time_ns, pending);
  std::string_view to = config().deliver_subject;
  if (!config().push()) {
    auto size = m.subject.size() + reply_.size() + size_sent(m);
    auto now = standing(turn_ns_);
    now.num_pending = pending + (deliveries == 1 ? 1 : 0);
    unwanted_ = !pulls_.pick(static_cast<int64_t>(size), now, effects_, picked_);
    if (unwanted_) return false;
    to = picked_.to;
  } else if (config().rate_limit_bps > 0 && wait_for_rate(m)) {
    return false;
  }
  auto now = active_ns_ = turn_ns_;
  if (deliveries > 1 || ledger_.state().pending.find(m.seq) != nullptr) {
    ledger_.redeliver(m.seq, now);
  } else {
    ledger_.deliver(m.seq, now);
    if (acked_by_delivery() && removes_messages()) done_.push_back(m.seq);
  }
  send(to, m, config().push() ? std::string_view{} : picked_.pin);
  if (!config().push() && !picked_.after.to.empty())
    effects_.statuses.push_back(std::move(picked_.after));
  return true;
}

void consumer_state::send(std::string_view to, const stored_message& m, std::string_view pin) {
  message_view out;
  out.subject = m.subject;
  out.reply = {reply_.data(), reply_.size()};
  bool plain = pin.empty() && !config().headers_only;
  if (plain && m.headers.empty()) {
    out.body = m.payload;
  } else if (plain && m.headers.data() + m.headers.size() == m.payload.data()) {
    out.body = {m.headers.data(), m.headers.size() + m.payload.size()};
    out.header_size = static_cast<int64_t>(m.headers.size());
  } else {
    body_.assign(headers_of(m));
    body_.resize(body_.size() - 2);
    if (config().headers_only) body_ += fmt::format("Nats-Msg-Size: {}\r\n", m.payload.size());
    if (!pin.empty()) body_.append("Nats-Pin-Id: ").append(pin).append("\r\n");
    body_ += "\r\n";
    out.header_size = static_cast<int64_t>(body_.size());
    if (!config().headers_only) body_ += m.payload;
    out.body = body_;
  }
  auto size = out.subject.size() + out.reply.size() + out.body.size();
  sent_bytes_ += size;
  if (context_.routes.deliver_to(to, out) == 0) {
    // Whoever it was is gone.
    if (acked_by_delivery()) return;
    ledger_.return_delivery(m.seq);
    return;
  }
  if (config().push()) note_pushed(size);
}

/// A receiver that has enough to write is waited for.
void consumer_state::flush_deliveries() {
  static thread_local std::vector<router::pressure> over;
  over.clear();
  auto high_water = context_.current->opts.max_pending / 16;
  context_.routes.flush(nullptr, context_.loop, high_water, over);
  for (const auto& p : over) {
    ++stalls_;
    auto resume = [this] { --stalls_; };
    self_
        ->request(caf::actor_cast<subscriber_actor>(p.destination->actor), std::chrono::seconds{11},
                  drain_atom::value)
        .then([resume](bool) { resume(); }, [resume](const caf::error&) { resume(); });
  }
}

void consumer_state::tend() {
  {
    snapshot_guard guard;
    pulls_.tend(at_end_ && ledger_.may_deliver_new(), standing(now_ns()), effects_);
  }
  publish_effects(effects_);
}

/// Statuses of requests, and what advisories say of pinned clients.
void consumer_state::publish_effects(pull_effects& effects) {
  if (!effects.statuses.empty()) {
    publishing out{context_};
    for (const auto& s : effects.statuses)
      out.send(s.to, {}, s.headers, static_cast<int64_t>(s.headers.size()));
    effects.statuses.clear();
  }
  for (const auto& p : effects.pins)
    advisories{context_, js_}.pinned(stream_, name_, p.group, p.id, p.reason, now_ns());
  effects.pins.clear();
}

}  // namespace vagus

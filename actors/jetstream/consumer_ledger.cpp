#include "actors/jetstream/consumer_ledger.hpp"

#include <algorithm>
#include <cassert>

namespace vagus {

namespace {

using change_kind = ledger_change::kind;

int64_t deadline_after(int64_t now, int64_t wait) {
  int64_t time = 0;
  return __builtin_add_overflow(now, wait, &time) ? INT64_MAX : time;
}

}  // namespace

int64_t ledger_rules::wait_ns(uint32_t deliveries) const {
  if (backoff_ns.empty()) return ack_wait_ns;
  auto at = std::min<size_t>(deliveries == 0 ? 0 : deliveries - 1, backoff_ns.size() - 1);
  return backoff_ns[at];
}

ledger_rules rules_of(const consumer_config& config, bool limits) {
  ledger_rules rules;
  rules.ack_policy = config.ack_policy;
  rules.ack_wait_ns = config.ack_wait;
  rules.backoff_ns = config.backoff;
  rules.max_deliver = config.max_deliver;
  rules.max_ack_pending = config.max_ack_pending;
  rules.keeps_exhausted = !limits;
  return rules;
}

consumer_ledger::consumer_ledger(ledger_rules rules, uint64_t next_seq, uint64_t last_of_each)
    : rules_{std::move(rules)} {
  state_.next_seq = std::max(next_seq, uint64_t{1});
  state_.last_of_each = last_of_each;
  state_.delivered.stream = state_.ack_floor.stream = state_.next_seq - 1;
  state_.tracks_acks = rules_.ack_policy != ack_policy::none;
  state_.keeps_exhausted = rules_.keeps_exhausted;
}

void consumer_ledger::reset(uint64_t next_seq) {
  state_ = consumer_ledger{rules_, next_seq, state_.last_of_each}.state_;
  rows_.lost();
}

std::optional<consumer_ledger> consumer_ledger::restore(ledger_rules rules,
                                                        const std::vector<std::string_view>& rows) {
  consumer_ledger ledger{std::move(rules)};
  auto writer = read_ledger_rows(rows, ledger.state_);
  if (!writer) return std::nullopt;
  ledger.rows_ = std::move(*writer);
  return ledger;
}

void consumer_ledger::record(const ledger_change& change) {
  state_.apply(change);
  rows_.add(change, state_);
}

void consumer_ledger::exhaust(const pending_ack& entry, std::vector<exhausted_message>& exhausted) {
  exhausted.push_back({entry.stream_seq, entry.deliveries});
  record({change_kind::exhausted, entry.stream_seq});
}

void consumer_ledger::expire(int64_t now, std::vector<exhausted_message>& exhausted) {
  for (auto seq : state_.pending.take_due(now)) {
    const auto& entry = *state_.pending.find(seq);
    if (rules_.last_delivery(entry.deliveries))
      exhaust(entry, exhausted);
    else
      record({change_kind::queued, seq});
  }
}

std::optional<uint64_t> consumer_ledger::next_redelivery(
    std::vector<exhausted_message>& exhausted) {
  while (auto seq = state_.pending.front()) {
    const auto& entry = *state_.pending.find(*seq);
    if (!rules_.last_delivery(entry.deliveries)) return seq;
    exhaust(entry, exhausted);
  }
  return std::nullopt;
}

bool consumer_ledger::may_deliver_new() const {
  return rules_.max_ack_pending <= 0 || !state_.tracks_acks ||
         state_.pending.size() < static_cast<size_t>(rules_.max_ack_pending);
}

delivery consumer_ledger::redeliver(uint64_t stream_seq, int64_t now) {
  const auto* entry = state_.pending.find(stream_seq);
  assert(entry != nullptr && entry->queued);
  auto deliveries = entry->deliveries + 1;
  auto deadline = deadline_after(now, rules_.wait_ns(deliveries));
  record({change_kind::redelivered, stream_seq, 0, deadline, now});
  return {stream_seq, state_.delivered.consumer, deliveries};
}

delivery consumer_ledger::deliver(uint64_t stream_seq, int64_t now) {
  assert(stream_seq >= state_.next_seq);
  auto deadline = state_.tracks_acks ? deadline_after(now, rules_.wait_ns(1)) : 0;
  record({change_kind::delivered, stream_seq, 0, deadline, now});
  return {stream_seq, state_.delivered.consumer, 1};
}

void consumer_ledger::return_delivery(uint64_t stream_seq) {
  if (state_.pending.find(stream_seq) != nullptr) record({change_kind::returned, stream_seq});
}

const pending_ack* consumer_ledger::answered_entry(const answered_delivery& answered) const {
  const auto* entry = state_.pending.find(answered.stream_seq);
  return entry != nullptr && answered.deliveries >= entry->deliveries ? entry : nullptr;
}

ack_outcome consumer_ledger::ack(const answered_delivery& answered, int64_t now,
                                 std::vector<uint64_t>& done) {
  if (answered.stream_seq == 0 || answered.stream_seq > state_.delivered.stream)
    return ack_outcome::beyond;
  if (!state_.tracks_acks) return ack_outcome::unchanged;
  if (rules_.ack_policy == ack_policy::all) return ack_all(answered, now, done);
  // Also of a delivery that was followed by another: the worker was slow, but it has done the work,
  // and with the answer it is promised not to get it again.
  if (!state_.exhausted.contains(answered.stream_seq) &&
      state_.pending.find(answered.stream_seq) == nullptr)
    return ack_outcome::unchanged;
  record({change_kind::acked, answered.stream_seq, 0, 0, now});
  done.push_back(answered.stream_seq);
  return ack_outcome::accepted;
}

ack_outcome consumer_ledger::ack_all(const answered_delivery& answered, int64_t now,
                                     std::vector<uint64_t>& done) {
  if (answered.stream_seq <= state_.ack_floor.stream) return ack_outcome::unchanged;
  state_.pending.for_each_up_to(answered.stream_seq,
                                [&done](const pending_ack& e) { done.push_back(e.stream_seq); });
  // A crash may have lost the delivery that is answered.
  auto consumer_seq = std::min(answered.consumer_seq, state_.delivered.consumer);
  record({change_kind::acked_up_to, answered.stream_seq, consumer_seq, 0, now});
  return ack_outcome::accepted;
}

ack_outcome consumer_ledger::nak(const answered_delivery& answered, std::optional<int64_t> delay_ns,
                                 int64_t now, std::vector<exhausted_message>& exhausted) {
  const auto* entry = answered_entry(answered);
  if (entry == nullptr) return ack_outcome::unchanged;
  if (delay_ns.value_or(0) > 0) {
    record({change_kind::waits, answered.stream_seq, 0, deadline_after(now, *delay_ns)});
  } else if (rules_.last_delivery(entry->deliveries)) {
    exhaust(*entry, exhausted);
  } else if (entry->queued) {
    return ack_outcome::unchanged;
  } else {
    record({change_kind::queued, answered.stream_seq});
  }
  return ack_outcome::accepted;
}

ack_outcome consumer_ledger::in_progress(const answered_delivery& answered, int64_t now) {
  const auto* entry = answered_entry(answered);
  if (entry == nullptr) return ack_outcome::unchanged;
  auto deadline = deadline_after(now, rules_.wait_ns(entry->deliveries));
  record({change_kind::waits, answered.stream_seq, 0, deadline});
  return ack_outcome::accepted;
}

void consumer_ledger::forget(uint64_t stream_seq) {
  if (state_.pending.find(stream_seq) != nullptr || state_.exhausted.contains(stream_seq))
    record({change_kind::removed, stream_seq});
}

void consumer_ledger::forget_up_to(uint64_t stream_seq) {
  bool known = !state_.exhausted.empty() && state_.exhausted.begin()->first <= stream_seq;
  known = known || (!state_.pending.empty() && state_.pending.first().stream_seq <= stream_seq);
  if (known || stream_seq > state_.ack_floor.stream)
    record({change_kind::removed_up_to, stream_seq});
}

void consumer_ledger::expire_all() {
  std::vector<uint64_t> all;
  state_.pending.for_each([&all](const pending_ack& e) {
    if (!e.queued) all.push_back(e.stream_seq);
  });
  for (auto seq : all) record({change_kind::queued, seq});
}

void consumer_ledger::change_rules(ledger_rules rules) {
  auto old = std::exchange(rules_, std::move(rules));
  state_.keeps_exhausted = rules_.keeps_exhausted;
  state_.pending.shift_deadlines(
      [&](uint32_t deliveries) { return rules_.wait_ns(deliveries) - old.wait_ns(deliveries); });
  rows_.lost();
}

std::optional<int64_t> consumer_ledger::waiting_since(uint64_t stream_seq) const {
  const auto* entry = state_.pending.find(stream_seq);
  if (entry == nullptr) return std::nullopt;
  // Of one that is to be delivered again the deadline is not kept.
  if (entry->queued) return state_.delivered_ns;
  return entry->when - rules_.wait_ns(entry->deliveries);
}

message_place consumer_ledger::place_of(uint64_t stream_seq) const {
  if (stream_seq > state_.delivered.stream) return message_place::ahead;
  if (state_.pending.find(stream_seq) != nullptr) return message_place::pending;
  if (state_.exhausted.contains(stream_seq)) return message_place::exhausted;
  return message_place::done;
}

size_t consumer_ledger::num_redelivered() const {
  // One delivery is none again, whatever happened to it.
  if (rules_.max_deliver == 1) return 0;
  return state_.pending.redelivered() + state_.exhausted.size();
}

}  // namespace vagus

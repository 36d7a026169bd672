#include "tests/durability/exactly_once_ledger.hpp"

#include <algorithm>

namespace vagus::test {

exactly_once_ledger::exactly_once_ledger(std::string stream, bool workqueue, size_t publishers)
    : stream_{std::move(stream)}, workqueue_{workqueue}, sent_(publishers), waiting_(publishers) {}

void exactly_once_ledger::wrong(const std::string& what) {
  throw failure{what};
}

std::string exactly_once_ledger::stream_request() const {
  return nlohmann::json{{"name", stream_},
                        {"subjects", {stream_ + ".*"}},
                        {"retention", workqueue_ ? "workqueue" : "limits"},
                        {"storage", "file"},
                        {"allow_direct", true},
                        {"duplicate_window", int64_t{24} * 3600 * 1'000'000'000}}
      .dump();
}

std::string exactly_once_ledger::consumer_request() const {
  const nlohmann::json config{{"durable_name", consumer},
                              {"ack_policy", "explicit"},
                              {"ack_wait", int64_t{1'000'000'000}},
                              {"max_ack_pending", 20'000},
                              {"max_deliver", -1}};
  return nlohmann::json{{"stream_name", stream_}, {"config", config}}.dump();
}

std::string exactly_once_ledger::subject_of(size_t publisher) const {
  return stream_ + ".p" + std::to_string(publisher);
}

std::string exactly_once_ledger::id_of(size_t publisher, uint64_t number) const {
  return stream_ + "-" + std::to_string(publisher) + "-" + std::to_string(number);
}

uint64_t exactly_once_ledger::choose(size_t publisher, std::mt19937_64& random, bool fresh) {
  const std::lock_guard lock{mutex_};
  auto& sent = sent_[publisher];
  auto& waiting = waiting_[publisher];
  const bool full = acknowledged_ > finished_ + most_unfinished;
  if (!sent.empty() && random() % 12 == 0) {
    const auto reach = std::min<uint64_t>(sent.size(), 40);
    return sent.size() - random() % reach;
  }
  if (!waiting.empty() && (!fresh || full || random() % 4 == 0))
    return waiting[random() % waiting.size()];
  if (!fresh || full) return 0;
  sent.emplace_back();
  waiting.push_back(sent.size());
  return sent.size();
}

/// Nothing has two sequences, and no sequence has two messages.
void exactly_once_ledger::place(const std::string& id, uint64_t sequence) {
  auto& w = work_[sequence];
  if (w.id.empty()) w.id = id;
  if (w.id != id) wrong(id + " has the sequence of " + w.id + ", " + std::to_string(sequence));
  const auto [it, fresh] = sequence_of_.emplace(id, sequence);
  if (it->second != sequence)
    wrong(id + " is stored twice, with sequences " + std::to_string(it->second) + " and " +
          std::to_string(sequence));
}

bool exactly_once_ledger::acknowledged(size_t publisher, uint64_t number,
                                       const nlohmann::json& answer) {
  const std::lock_guard lock{mutex_};
  const auto id = id_of(publisher, number);
  const auto sequence = answer.value("seq", uint64_t{0});
  if (sequence == 0) wrong(id + " is refused: " + answer.dump());
  place(id, sequence);
  auto& e = sent_[publisher][number - 1];
  if (answer.value("duplicate", false))
    ++repeated_;
  else if (++e.stored > 1)
    wrong(id + " was new twice: " + answer.dump());
  e.sequence = sequence;
  if (std::exchange(e.acknowledged, true)) return false;
  ++acknowledged_;
  std::erase(waiting_[publisher], number);
  return true;
}

bool exactly_once_ledger::all_acknowledged() const {
  const std::lock_guard lock{mutex_};
  return std::all_of(waiting_.begin(), waiting_.end(), [](const auto& w) { return w.empty(); });
}

uint64_t exactly_once_ledger::next_moment() {
  const std::lock_guard lock{mutex_};
  return ++moment_;
}

/// `$JS.ACK.<stream>.<consumer>.<times>.<stream sequence>.<consumer sequence>.<time>.<pending>`;
/// before the stream a domain and an account may stand.
exactly_once_ledger::delivery exactly_once_ledger::delivered_to(const delivered& message,
                                                                uint64_t asked) {
  std::vector<std::string> tokens{{}};
  for (const char c : message.reply)
    if (c == '.')
      tokens.emplace_back();
    else
      tokens.back() += c;
  if (tokens.size() < 9) wrong("delivered with the reply subject " + message.reply);
  const size_t at = tokens.size() > 9 ? 6 : 4;
  const std::lock_guard lock{mutex_};
  const delivery what{std::stoull(tokens[at + 1]), std::stoull(tokens[at]), message.reply, life_};

  const auto id = message.header("Nats-Msg-Id");
  if (message.payload != "payload of " + id) wrong(id + " is delivered with " + message.payload);
  place(id, what.sequence);
  auto& w = work_[what.sequence];
  ++w.deliveries;
  if (w.finished != 0 && w.finished < asked)
    wrong(id + " (sequence " + std::to_string(what.sequence) + ") is delivered as " + what.reply +
          " to a request of moment " + std::to_string(asked) +
          "; its acknowledgement was answered at " + std::to_string(w.finished));
  return what;
}

void exactly_once_ledger::finishing(const delivery& what) {
  const std::lock_guard lock{mutex_};
  work_[what.sequence].sent = true;
  unanswered_[what.sequence] = what;
}

void exactly_once_ledger::finished(const delivery& what) {
  const std::lock_guard lock{mutex_};
  unanswered_.erase(what.sequence);
  auto& w = work_[what.sequence];
  if (w.finished != 0) {
    ++doubles_;
    return;
  }
  w.finished = moment_;
  ++finished_;
}

void exactly_once_ledger::begin_life() {
  const std::lock_guard lock{mutex_};
  ++life_;
}

std::vector<exactly_once_ledger::delivery> exactly_once_ledger::unanswered(size_t worker,
                                                                           size_t workers) const {
  const std::lock_guard lock{mutex_};
  std::vector<delivery> result;
  for (const auto& [sequence, what] : unanswered_)
    if (sequence % workers == worker && what.life != life_) result.push_back(what);
  return result;
}

bool exactly_once_ledger::all_finished() const {
  const std::lock_guard lock{mutex_};
  return finished_ == acknowledged_ && unanswered_.empty();
}

void exactly_once_ledger::check_consumer(asker& client) const {
  const auto info = client.api("CONSUMER.INFO." + stream_ + "." + consumer);
  const auto state = client.api("STREAM.INFO." + stream_);
  if (!info.contains("ack_floor")) wrong("no consumer after the restart: " + info.dump());
  const std::lock_guard lock{mutex_};
  const auto floor = info["ack_floor"].value("stream_seq", uint64_t{0});
  const auto last = info["delivered"].value("stream_seq", uint64_t{0});
  const auto stored = state["state"].value("last_seq", uint64_t{0});
  try {
    check_counts(floor, last, info.value("num_ack_pending", uint64_t{0}));
    if (floor > last || last > stored) wrong("the positions contradict each other");
    if (info.value("num_pending", uint64_t{0}) != stored - last) wrong("num_pending");
  } catch (const failure& e) {
    wrong(std::string{e.what()} + "\n  " + info.dump() + "\n  " + state["state"].dump());
  }
}

/// The stream has no gaps but those of finished messages, so that each sequence up to `last` is
/// either acknowledged or pending.
void exactly_once_ledger::check_counts(uint64_t floor, uint64_t last,
                                       uint64_t num_ack_pending) const {
  uint64_t surely = 0, perhaps = 0;
  for (const auto& [sequence, w] : work_) {
    const auto name = w.id + " (sequence " + std::to_string(sequence) + ")";
    if (w.finished != 0 && sequence > last)
      wrong(name + " is acknowledged, but counts as never delivered");
    if (sequence <= floor && !w.sent) wrong(name + " is below the ack floor, but nobody acked it");
    if (sequence <= floor || sequence > last) continue;
    if (w.finished != 0)
      ++surely;
    else if (w.sent)
      ++perhaps;
  }
  uint64_t done = 0;
  for (uint64_t next = 1; work_.contains(next) && work_.at(next).finished != 0; ++next) done = next;
  if (floor < done)
    wrong("all up to " + std::to_string(done) + " is acknowledged, the ack floor is lower");
  const auto most = last - floor - surely;
  if (num_ack_pending > most)
    wrong("at most " + std::to_string(most) + " messages can be unacknowledged");
  if (num_ack_pending + perhaps < most)
    wrong("at least " + std::to_string(most - perhaps) + " messages must be unacknowledged");
}

void exactly_once_ledger::check_end(asker& client) const {
  const auto answer = client.api("STREAM.INFO." + stream_);
  const auto& state = answer["state"];
  std::map<uint64_t, std::string> there;
  if (!workqueue_)
    for (const auto& m : client.read_all(stream_, 1))
      there[std::stoull(m.header("Nats-Sequence"))] = m.header("Nats-Msg-Id");
  const std::lock_guard lock{mutex_};
  if (state.value("last_seq", uint64_t{0}) != acknowledged_)
    wrong("not each of " + std::to_string(acknowledged_) + " ids is stored once: " + state.dump());
  if (state.value("messages", uint64_t{1}) != (workqueue_ ? 0 : acknowledged_))
    wrong("messages left: " + state.dump());
  for (const auto& [sequence, w] : work_) {
    const auto name = w.id + " (sequence " + std::to_string(sequence) + ")";
    if (w.finished == 0) wrong(name + " was never finished");
    if (!workqueue_ && there[sequence] != w.id) wrong(name + " is not in the stream");
  }
}

std::string exactly_once_ledger::summary() const {
  const std::lock_guard lock{mutex_};
  uint64_t deliveries = 0;
  for (const auto& [sequence, w] : work_) deliveries += w.deliveries;
  return std::to_string(acknowledged_) + " messages, " + std::to_string(repeated_) +
         " answers to repeated ones, " + std::to_string(deliveries) + " deliveries, " +
         std::to_string(doubles_) + " acknowledged more than once";
}

}  // namespace vagus::test

#include "tests/durability/exactly_once_load.hpp"

#include <map>
#include <sys/socket.h>

namespace vagus::test {

namespace {

constexpr size_t in_flight = 40;
constexpr std::chrono::milliseconds answer_within{1500};
constexpr std::chrono::milliseconds old_answer_within{400};
constexpr std::chrono::milliseconds too_late{1200};  // more than ack_wait
constexpr std::chrono::seconds drained_within{60};

/// The next message before the deadline; empty also when the server is gone.
std::optional<delivered> message_until(raw_connection& link, raw_connection::clock::time_point at) {
  for (;;) {
    if (auto message = take_message(link)) return message;
    if (!link.fill(at)) return {};
  }
}

}  // namespace

/// One that pulls: its connection, and the acknowledgements that it waits for by reply subject.
struct exactly_once_load::worker {
  raw_connection& link;
  std::mt19937_64 random;
  std::string inbox;
  uint64_t token = 0;
  std::map<std::string, exactly_once_ledger::delivery> pending{};
  /// What it is slow with, and when it will be ready.
  std::deque<std::pair<raw_connection::clock::time_point, exactly_once_ledger::delivery>> slow{};

  std::string next_reply() { return inbox + std::to_string(++token); }
};

exactly_once_load::exactly_once_load(int port, exactly_once_ledger& ledger, uint64_t seed,
                                     aim what_for)
    : ledger_{ledger}, seed_{seed}, aim_{what_for} {
  for (size_t i = 0; i < publishers + workers; ++i) links_.push_back(connect_client(port));
  ledger_.begin_life();
  for (size_t p = 0; p < publishers; ++p)
    threads_.emplace_back([this, p] { guarded([this, p] { publish(links_[p], p); }); });
  for (size_t w = 0; w < workers; ++w)
    threads_.emplace_back([this, w] { guarded([this, w] { work(links_[publishers + w], w); }); });
}

/// The threads end when their connections do.
exactly_once_load::~exactly_once_load() {
  for (auto& l : links_) ::shutdown(l.fd(), SHUT_RDWR);
  join();
}

void exactly_once_load::finish() {
  join();
  fail_if_wrong();
}

void exactly_once_load::join() {
  for (auto& t : threads_)
    if (t.joinable()) t.join();
}

void exactly_once_load::guarded(const std::function<void()>& work) {
  std::string what;
  try {
    work();
  } catch (const std::exception& e) {
    what = e.what();
  }
  const std::lock_guard lock{mutex_};
  if (what.empty()) return;
  if (wrong_.empty()) wrong_ = what;
  stopping_ = true;
  changed_.notify_all();
}

bool exactly_once_load::stopped() {
  const std::lock_guard lock{mutex_};
  return stopping_;
}

void exactly_once_load::answered() {
  const std::lock_guard lock{mutex_};
  ++answered_;
  changed_.notify_all();
}

/// Publishers that are far ahead of the workers wait a little.
void exactly_once_load::await_progress() {
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, std::chrono::milliseconds{20});
}

void exactly_once_load::fail_if_wrong() {
  const std::lock_guard lock{mutex_};
  if (!wrong_.empty()) throw failure{std::exchange(wrong_, {})};
}

void exactly_once_load::await(uint64_t count, std::chrono::microseconds moment) {
  {
    std::unique_lock lock{mutex_};
    const auto done = [&] { return answered_ >= count || !wrong_.empty(); };
    if (!changed_.wait_for(lock, 3 * patience, done))
      throw failure{"only " + std::to_string(answered_) + " requests were answered"};
    // An answer comes right after a commit: without this a kill would never meet the middle of one.
    changed_.wait_for(lock, moment, [&] { return !wrong_.empty(); });
  }
  fail_if_wrong();
}

/// The same message may be on its way several times: each time it has a reply subject of its own.
void exactly_once_load::publish(raw_connection& link, size_t number) {
  std::mt19937_64 random{seed_ * 31 + number};
  const auto inbox = "_INBOX.once.pub" + std::to_string(number) + ".";
  link.send("SUB " + inbox + "* 1\r\n");
  std::map<std::string, uint64_t> pending;
  uint64_t token = 0;
  const bool fresh = aim_ == aim::go_on;
  while (!stopped() && (fresh || !ledger_.all_acknowledged())) {
    std::string out;
    for (size_t burst = 1 + random() % in_flight; burst > 0 && pending.size() < in_flight;
         --burst) {
      const auto message = ledger_.choose(number, random, fresh);
      if (message == 0) break;
      const auto reply = inbox + std::to_string(++token);
      pending[reply] = message;
      const auto id = ledger_.id_of(number, message);
      out += publish_frame(ledger_.subject_of(number), reply, "payload of " + id, id);
    }
    if (!link.send(out)) return;
    if (pending.empty()) {
      await_progress();
      if (!link.fill(raw_connection::clock::now()) && link.closed()) return;
      continue;
    }
    auto message = wait_message(link);
    for (; message; message = take_message(link)) {
      const auto it = pending.find(message->subject);
      if (it == pending.end()) throw failure{"answered twice: " + message->subject};
      if (message->payload.empty()) throw failure{"no stream listens: " + message->headers};
      if (ledger_.acknowledged(number, it->second, message->json())) answered();
      pending.erase(it);
    }
    if (link.closed()) return;
  }
}

void exactly_once_load::work(raw_connection& link, size_t number) {
  worker w{link, std::mt19937_64{seed_ * 37 + number},
           "_INBOX.once.w" + std::to_string(number) + "."};
  link.send("SUB " + w.inbox + "* 1\r\n");
  const auto until = raw_connection::clock::now() + drained_within;
  while (!stopped()) {
    if (aim_ == aim::drain && ledger_.all_acknowledged() && ledger_.all_finished()) return;
    if (aim_ == aim::drain && raw_connection::clock::now() > until)
      throw failure{"messages that were not finished are not delivered any more"};
    if (!repeat_old(w, number) || !pull(w) || !acknowledge_late(w) || !await_answers(w)) return;
  }
}

/// One request for messages, until all came or the server ends it. False: the server is gone.
bool exactly_once_load::pull(worker& w) {
  const auto asked = ledger_.next_moment();
  const auto batch = 1 + w.random() % 20;
  const auto reply = w.next_reply();
  const nlohmann::json request{{"batch", batch}, {"expires", 300'000'000}};
  const auto subject =
      "$JS.API.CONSUMER.MSG.NEXT." + ledger_.stream() + "." + exactly_once_ledger::consumer;
  if (!w.link.send(publish_frame(subject, reply, request.dump(), {}))) return false;
  for (size_t got = 0; got < batch;) {
    auto message = wait_message(w.link);
    if (!message) return false;
    if (const auto it = w.pending.find(message->subject); it != w.pending.end()) {
      ledger_.finished(it->second);
      w.pending.erase(it);
      answered();
      continue;
    }
    if (message->subject == reply && message->headers.starts_with("NATS/1.0 4")) return true;
    if (message->reply.empty()) {
      if (message->payload.empty()) continue;  // an answer to one that was repeated
      throw failure{"not of this request: " + message->subject + " " + message->payload};
    }
    ++got;
    if (!take(w, *message, asked)) return false;
  }
  return true;
}

/// The fate of a message. False: the server is gone.
bool exactly_once_load::take(worker& w, const delivered& message, uint64_t asked) {
  const auto what = ledger_.delivered_to(message, asked);
  const auto fate = aim_ == aim::drain ? 99 : w.random() % 100;
  if (fate < 20) return true;
  if (fate < 28) return w.link.send(publish_frame(what.reply, {}, "-NAK", {}));
  if (fate < 32) return w.link.send(publish_frame(what.reply, {}, "+WPI", {}));
  if (fate < 36) {
    w.slow.emplace_back(raw_connection::clock::now() + too_late, what);
    return true;
  }
  return acknowledge(w, what);
}

bool exactly_once_load::acknowledge(worker& w, const exactly_once_ledger::delivery& what) {
  ledger_.finishing(what);
  const auto reply = w.next_reply();
  w.pending[reply] = what;
  return w.link.send(publish_frame(what.reply, reply, "+ACK", {}));
}

/// Acknowledges what the server has meanwhile given to others as well.
bool exactly_once_load::acknowledge_late(worker& w) {
  for (; !w.slow.empty() && w.slow.front().first <= raw_connection::clock::now();
       w.slow.pop_front())
    if (!acknowledge(w, w.slow.front().second)) return false;
  return true;
}

/// What earlier lives of the server left without an answer: once now, and before the next request
/// again. False: the server is gone.
bool exactly_once_load::repeat_old(worker& w, size_t number) {
  std::string again;
  for (const auto& what : ledger_.unanswered(number, workers)) {
    const auto reply = w.next_reply();
    w.pending[reply] = what;
    again += publish_frame(what.reply, reply, "+ACK", {});
  }
  if (again.empty()) return true;
  if (!w.link.send(again) || !collect(w, old_answer_within)) return false;
  w.pending.clear();
  return true;
}

/// Acknowledgements are repeated until they are answered. False: the server is gone.
bool exactly_once_load::await_answers(worker& w) {
  for (int tries = 0; !w.pending.empty(); ++tries) {
    if (tries == 5)
      throw failure{"acknowledging " + w.pending.begin()->second.reply + " is never answered"};
    if (!collect(w, answer_within)) return false;
    std::string again;
    for (const auto& [reply, what] : w.pending)
      again += publish_frame(what.reply, reply, "+ACK", {});
    if (!again.empty() && !w.link.send(again)) return false;
  }
  return true;
}

/// Answers, until all are there or the time is over. False: the server is gone.
bool exactly_once_load::collect(worker& w, std::chrono::milliseconds limit) {
  const auto deadline = raw_connection::clock::now() + limit;
  while (!w.pending.empty()) {
    const auto message = message_until(w.link, deadline);
    if (!message) break;
    const auto it = w.pending.find(message->subject);
    if (it == w.pending.end()) continue;  // an answer to one that was repeated
    ledger_.finished(it->second);
    w.pending.erase(it);
    answered();
  }
  return !w.link.closed();
}

}  // namespace vagus::test

#include "tests/durability/kill_load.hpp"

#include <map>
#include <sys/socket.h>

namespace vagus::test {

kill_load::kill_load(int port, std::deque<ledger>& ledgers, uint64_t seed)
    : ledgers_{ledgers}, seed_{seed}, remover_{port} {
  for (size_t c = 0; c < connections; ++c) links_.push_back(connect_client(port));
  for (size_t c = 0; c < connections; ++c)
    threads_.emplace_back([this, c] { guarded([this, c] { publish(links_[c], c); }); });
  threads_.emplace_back([this] { guarded([this] { remove(remover_); }); });
}

/// The threads end when their connections do.
kill_load::~kill_load() {
  for (auto& l : links_) ::shutdown(l.fd(), SHUT_RDWR);
  join();
}

void kill_load::finish() {
  join();
  fail_if_wrong();
}

void kill_load::join() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  for (auto& t : threads_)
    if (t.joinable()) t.join();
}

void kill_load::guarded(const std::function<void()>& work) {
  std::string what;
  try {
    work();
  } catch (const std::exception& e) {
    what = e.what();
  }
  const std::lock_guard lock{mutex_};
  if (wrong_.empty()) wrong_ = what;
  changed_.notify_all();
}

void kill_load::answered() {
  const std::lock_guard lock{mutex_};
  ++answered_;
  changed_.notify_all();
}

void kill_load::fail_if_wrong() {
  const std::lock_guard lock{mutex_};
  if (!wrong_.empty()) throw failure{"under load: " + std::exchange(wrong_, {})};
}

void kill_load::await(uint64_t count, std::chrono::microseconds moment) {
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

/// One connection: what is sent and not yet acknowledged is known by its reply subject.
void kill_load::publish(raw_connection& link, size_t connection) {
  std::mt19937_64 random{seed_ * 31 + connection};
  const auto inbox = "_INBOX.kill.pub" + std::to_string(connection) + ".";
  link.send("SUB " + inbox + "* 1\r\n");
  std::map<std::string, std::pair<size_t, uint64_t>> pending;
  uint64_t token = 0;
  for (;;) {
    std::string out;
    const size_t burst = 1 + random() % in_flight;
    for (size_t i = 0; i < burst && pending.size() < in_flight; ++i) {
      const size_t s = random() % ledgers_.size();
      const auto number = ledgers_[s].next_of(connection);
      const auto reply = inbox + std::to_string(++token);
      pending[reply] = {s, number};
      out += publish_frame(ledgers_[s].subject_of(connection, number), reply,
                           ledgers_[s].payload_of(connection, number),
                           ledgers_[s].id_of(connection, number));
    }
    if (!link.send(out)) return;
    auto message = wait_message(link);
    for (; message; message = take_message(link)) {
      const auto it = pending.find(message->subject);
      if (it == pending.end()) throw failure{"answered twice: " + message->subject};
      if (message->payload.empty()) throw failure{"no stream listens: " + message->headers};
      const auto [s, number] = it->second;
      pending.erase(it);
      ledgers_[s].acknowledge(connection, number, message->json());
      answered();
    }
    if (link.closed()) return;
  }
}

void kill_load::remove(asker& client) {
  std::mt19937_64 random{seed_ * 31 + connections};
  for (;;) {
    for (auto& l : ledgers_) {
      if (l.how() != removal::requests) continue;
      if (!remove_one(client, l, random)) return;
    }
    const std::lock_guard lock{mutex_};
    if (stopping_) return;
  }
}

/// A delete, or now and then a purge. False when the server is gone.
bool kill_load::remove_one(asker& client, ledger& from, std::mt19937_64& random) {
  std::string what, request;
  ledger::purge purge;
  uint64_t sequence = 0;
  if (random() % 40 == 0) {
    purge = from.choose_purge(random);
    if (purge.below == 0) return client.try_ask("$JS.API.INFO").has_value();
    nlohmann::json body{{"seq", purge.below}};
    if (!purge.filter.empty()) body["filter"] = purge.filter;
    what = "STREAM.PURGE.", request = body.dump();
  } else {
    sequence = from.choose_delete(random);
    if (sequence == 0) return client.try_ask("$JS.API.INFO").has_value();
    what = "STREAM.MSG.DELETE.", request = "{\"seq\":" + std::to_string(sequence) + "}";
  }
  const auto answer = client.try_ask("$JS.API." + what + from.stream(), request);
  if (!answer) return false;
  if (!answer->json().value("success", false))
    throw failure{what + from.stream() + " " + request + ": " + answer->payload};
  sequence != 0 ? from.delete_acknowledged(sequence) : from.purge_acknowledged(purge);
  answered();
  return true;
}

}  // namespace vagus::test

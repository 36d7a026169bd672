#include "tests/durability/kill_ledger.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace vagus::test {

ledger::ledger(std::string stream, removal how, size_t connections)
    : stream_{std::move(stream)}, how_{how}, sequences_(connections) {}

std::string ledger::create_request() const {
  nlohmann::json config{{"name", stream_},
                        {"subjects", {stream_ + ".>"}},
                        {"storage", "file"},
                        {"allow_direct", true},
                        {"compression", how_ == removal::limit ? "s2" : "none"},
                        {"duplicate_window", 3'600'000'000'000}};
  if (how_ == removal::limit) config["max_msgs"] = kept_by_limit;
  if (how_ == removal::per_subject) config["max_msgs_per_subject"] = 1;
  return config.dump();
}

uint64_t ledger::next_of(size_t connection) {
  const std::lock_guard lock{mutex_};
  sequences_[connection].push_back(0);
  return sequences_[connection].size();
}

std::string ledger::subject_of(size_t connection, uint64_t number) const {
  const auto base = stream_ + ".c" + std::to_string(connection);
  if (how_ != removal::per_subject) return base;
  return base + ".k" + std::to_string(number * number % 11);
}

/// Lengths from a few bytes to a few pages; each is known from its number.
std::string ledger::payload_of(size_t connection, uint64_t number) const {
  const auto head = std::to_string(connection) + " " + std::to_string(number) + " ";
  const auto mixed = (number * 2654435761u + connection) >> 7;
  const size_t size = mixed % 50 == 0 ? mixed % 9000 : mixed % 200;
  return head + std::string(size, static_cast<char>('a' + mixed % 26));
}

std::string ledger::id_of(size_t connection, uint64_t number) const {
  return stream_ + "-" + std::to_string(connection) + "-" + std::to_string(number);
}

std::string ledger::name_of(const origin& from) const {
  return id_of(from.connection, from.number);
}

void ledger::acknowledge(size_t connection, uint64_t number, const nlohmann::json& answer) {
  const std::lock_guard lock{mutex_};
  const origin from{connection, number};
  if (answer.contains("error") || !answer.contains("seq") || answer.contains("duplicate"))
    throw failure{name_of(from) + ": " + answer.dump()};
  const uint64_t sequence = answer["seq"];
  auto& mine = sequences_[connection];
  if (mine[number - 1] != 0) throw failure{name_of(from) + ": acknowledged twice"};
  if (number > 1 && mine[number - 2] >= sequence)
    throw failure{name_of(from) + ": not behind the one before"};
  if (!acknowledged_.emplace(sequence, from).second)
    throw failure{name_of(from) + ": has the sequence of another, " + std::to_string(sequence)};
  mine[number - 1] = sequence;
  if (sequence < purged_below_) maybe_removed_.insert(sequence);
}

uint64_t ledger::choose_delete(std::mt19937_64& random) {
  const std::lock_guard lock{mutex_};
  if (acknowledged_.size() < 50) return 0;
  // Among the last ones, so that they are rarely gone already.
  auto it = acknowledged_.end();
  std::advance(it, -1 - static_cast<long>(random() % 50));
  if (removed_.contains(it->first) || !maybe_removed_.insert(it->first).second) return 0;
  return it->first;
}

void ledger::delete_acknowledged(uint64_t sequence) {
  const std::lock_guard lock{mutex_};
  maybe_removed_.erase(sequence);
  removed_.insert(sequence);
}

ledger::purge ledger::choose_purge(std::mt19937_64& random) {
  const std::lock_guard lock{mutex_};
  if (acknowledged_.size() < 500) return {};
  purge result;
  result.below = acknowledged_.rbegin()->first - random() % 400;
  const size_t connection = random() % (sequences_.size() + 1);
  if (connection < sequences_.size()) result.filter = subject_of(connection, 1);
  for (const auto& [sequence, from] : acknowledged_) {
    if (sequence >= result.below) break;
    if (!result.filter.empty() && from.connection != connection) continue;
    result.sequences.push_back(sequence);
    if (!removed_.contains(sequence)) maybe_removed_.insert(sequence);
  }
  purged_below_ = std::max(purged_below_, result.below);
  return result;
}

void ledger::purge_acknowledged(const purge& done) {
  const std::lock_guard lock{mutex_};
  for (auto sequence : done.sequences) {
    maybe_removed_.erase(sequence);
    removed_.insert(sequence);
  }
}

uint64_t ledger::acknowledged() const {
  const std::lock_guard lock{mutex_};
  return acknowledged_.size();
}

void ledger::wrong(const std::string& what) {
  // One kind of mistake tends to come a thousand times.
  constexpr size_t most = 1500;
  if (findings_.size() < most) findings_ += "\n    " + stream_ + ": " + what;
}

ledger::stored ledger::recognize(const delivered& message) const {
  const auto parts = words(message.payload.substr(0, 40));
  const auto is_number = [](const std::string& w) {
    return !w.empty() && w.size() < 18 &&
           std::all_of(w.begin(), w.end(), [](unsigned char c) { return std::isdigit(c); });
  };
  stored s{std::stoull(message.header("Nats-Sequence")), {}, message.header("Nats-Subject")};
  const auto bad = failure{stream_ + ": sequence " + std::to_string(s.sequence) +
                           " is not what was sent: " + printable(message.headers) +
                           printable(message.payload, 80)};
  if (parts.size() < 2 || !is_number(parts[0]) || !is_number(parts[1])) throw bad;
  s.from = {std::stoull(parts[0]), std::stoull(parts[1])};
  if (s.from.connection >= sequences_.size() || s.from.number == 0 ||
      s.from.number > sequences_[s.from.connection].size() ||
      message.payload != payload_of(s.from.connection, s.from.number) ||
      s.subject != subject_of(s.from.connection, s.from.number) ||
      message.header("Nats-Msg-Id") != name_of(s.from))
    throw bad;
  return s;
}

}  // namespace vagus::test

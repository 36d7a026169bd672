// The half of the ledger that compares it with a server after a restart.
#include "tests/durability/kill_ledger.hpp"

#include <algorithm>

namespace vagus::test {

void ledger::check(asker& client) {
  const auto info = client.api("STREAM.INFO." + stream_);
  if (!info.contains("state")) throw failure{stream_ + " is gone: " + info.dump()};
  const auto& state = info["state"];
  judge({state["first_seq"], state["last_seq"], state["messages"], client.read_all(stream_, 1)});
}

void ledger::judge(const contents& there) {
  const std::lock_guard lock{mutex_};
  findings_.clear();
  last_ = there.last;
  std::vector<stored> all;
  for (const auto& message : there.messages) all.push_back(recognize(message));
  if (there.count != all.size())
    wrong("says that it has " + std::to_string(there.count) + " messages, but gives " +
          std::to_string(all.size()));
  if (!all.empty() && (all.front().sequence != there.first || all.back().sequence > last_))
    wrong("its first and last sequence are not those of its messages");
  if (!acknowledged_.empty() && acknowledged_.rbegin()->first > last_)
    wrong("lost: its last sequence is " + std::to_string(last_) + ", acknowledged was " +
          std::to_string(acknowledged_.rbegin()->first));
  find_doubles(all);
  find_lost(all, there.first);
  find_undead(all);
  find_gaps(all, there.first, last_);
  find_holes(there.first);
  if (!findings_.empty()) throw failure{"after the restart:" + findings_};
  settle(all);
}

/// Nothing twice, each where it was acknowledged, each connection's in their order.
void ledger::find_doubles(const std::vector<stored>& all) {
  present_.clear();
  last_of_subject_.clear();
  std::vector<uint64_t> newest(sequences_.size());
  std::map<std::string, uint64_t> of_subject;
  uint64_t before = 0;
  for (const auto& s : all) {
    const auto at = " at " + std::to_string(s.sequence);
    if (s.sequence <= before) wrong("sequence does not rise" + at);
    before = s.sequence;
    if (!present_.emplace(s.from, s.sequence).second) wrong("twice: " + name_of(s.from) + at);
    if (s.from.number <= newest[s.from.connection]) wrong("out of order: " + name_of(s.from) + at);
    newest[s.from.connection] = s.from.number;
    const auto known = sequences_[s.from.connection][s.from.number - 1];
    if (known != 0 && known != s.sequence)
      wrong("moved: " + name_of(s.from) + at + ", acknowledged with " + std::to_string(known));
    if (const auto it = acknowledged_.find(s.sequence);
        it != acknowledged_.end() && it->second != s.from)
      wrong("replaced: " + name_of(it->second) + " by " + name_of(s.from) + at);
    if (how_ == removal::per_subject && ++of_subject[s.subject] > 1)
      wrong("more than one message of " + s.subject + at);
    last_of_subject_[s.subject] = s.sequence;
  }
  if (how_ == removal::limit && all.size() > kept_by_limit)
    wrong("has " + std::to_string(all.size()) + " messages, more than its limit");
}

/// Whether something that was asked of the stream explains that this message is not there.
bool ledger::may_be_gone(uint64_t sequence, const std::string& subject, uint64_t first) const {
  if (removed_.contains(sequence) || maybe_removed_.contains(sequence)) return true;
  if (how_ == removal::limit) return sequence < first && sequence + kept_by_limit <= last_;
  if (how_ != removal::per_subject) return false;
  const auto newer = last_of_subject_.find(subject);
  return newer != last_of_subject_.end() && newer->second > sequence;
}

void ledger::find_lost(const std::vector<stored>& all, uint64_t first) {
  std::set<uint64_t> there;
  for (const auto& s : all) there.insert(s.sequence);
  for (const auto& [sequence, from] : acknowledged_) {
    if (there.contains(sequence)) continue;
    if (!may_be_gone(sequence, subject_of(from.connection, from.number), first))
      wrong("lost: " + name_of(from) + ", acknowledged with " + std::to_string(sequence));
  }
}

/// What was acknowledged as removed stays away.
void ledger::find_undead(const std::vector<stored>& all) {
  for (const auto& s : all)
    if (removed_.contains(s.sequence))
      wrong("came back: " + name_of(s.from) + ", removed from " + std::to_string(s.sequence));
}

/// Sequences between the first and the last that hold nothing: of a message nobody knows the fate
/// of, because its acknowledgement did not arrive, only a limit or a purge may have taken it.
void ledger::find_gaps(const std::vector<stored>& all, uint64_t first, uint64_t last) {
  if (how_ == removal::per_subject) return;
  auto next = all.begin();
  for (uint64_t sequence = first; sequence != 0 && sequence <= last; ++sequence) {
    if (next != all.end() && next->sequence == sequence) {
      ++next;
      continue;
    }
    const bool explained = removed_.contains(sequence) || maybe_removed_.contains(sequence) ||
                           (how_ == removal::requests && sequence < purged_below_);
    if (!explained) wrong("gap at " + std::to_string(sequence));
  }
}

std::vector<uint64_t> ledger::newest_present() const {
  std::vector<uint64_t> newest(sequences_.size());
  for (const auto& [from, sequence] : present_)
    newest[from.connection] = std::max(newest[from.connection], from.number);
  return newest;
}

/// Of the messages without acknowledgement those that are stored are the first ones that were sent.
void ledger::find_holes(uint64_t first) {
  const auto newest = newest_present();
  for (size_t c = 0; c < sequences_.size(); ++c) {
    uint64_t before = 0;
    for (uint64_t number = 1; number < newest[c]; ++number) {
      const auto it = present_.find({c, number});
      const auto known = sequences_[c][number - 1];
      if (known != 0 || it != present_.end()) {
        before = known != 0 ? known : it->second;
        continue;
      }
      const auto newer = last_of_subject_.find(subject_of(c, number));
      const bool explained = given_up_.contains({c, number}) ||
                             (how_ == removal::limit && before + 1 < first) ||
                             (how_ == removal::requests && before + 1 < purged_below_) ||
                             (how_ == removal::per_subject && newer != last_of_subject_.end() &&
                              newer->second > before);
      if (!explained) wrong("hole: " + name_of({c, number}) + " is not there, but later ones are");
    }
  }
}

/// From now on the unanswered requests count as done, or as never made.
void ledger::settle(const std::vector<stored>& all) {
  for (const auto& s : all) maybe_removed_.erase(s.sequence);
  removed_.merge(maybe_removed_);
  maybe_removed_.clear();
}

void ledger::retry(asker& client, std::mt19937_64& random, bool removed_too) {
  std::vector<std::pair<origin, uint64_t>> answered;
  for (const auto& [sequence, from] : acknowledged_) answered.push_back({from, sequence});
  for (size_t i = 0; i < 20 && !answered.empty(); ++i) {
    // Half of them from the end, where a crash does its damage.
    const auto reach = i % 2 == 0 ? std::min<size_t>(answered.size(), 30) : answered.size();
    const auto& [from, sequence] = answered[answered.size() - 1 - random() % reach];
    if (removed_too || present_.contains(from)) retry_acknowledged(client, from, sequence);
  }
  const auto newest = newest_present();
  for (size_t c = 0; c < sequences_.size(); ++c)
    for (uint64_t number = 1; number <= sequences_[c].size(); ++number) {
      const origin from{c, number};
      if (sequences_[c][number - 1] != 0 || given_up_.contains(from)) continue;
      // Stored once and taken away: a server that forgets its id then would store it again.
      const bool was_there = !present_.contains(from) && number < newest[c];
      if (was_there && !removed_too)
        given_up_.insert(from);
      else
        retry_unacknowledged(client, from);
    }
}

void ledger::retry_acknowledged(asker& client, const origin& from, uint64_t sequence) {
  const auto answer = client
                          .ask(subject_of(from.connection, from.number),
                               payload_of(from.connection, from.number), name_of(from))
                          .json();
  if (answer.value("duplicate", false) && answer.value("seq", uint64_t{0}) == sequence) return;
  throw failure{"repeated " + name_of(from) + ", which is stored with " + std::to_string(sequence) +
                ": " + answer.dump()};
}

void ledger::retry_unacknowledged(asker& client, const origin& from) {
  const auto [connection, number] = from;
  const auto answer =
      client.ask(subject_of(connection, number), payload_of(connection, number), name_of(from))
          .json();
  const bool duplicate = answer.value("duplicate", false);
  const auto sequence = answer.value("seq", uint64_t{0});
  const auto there = present_.find(from);
  bool right = duplicate ? sequence != 0 && sequence <= last_ : sequence > last_;
  if (there != present_.end()) right = duplicate && sequence == there->second;
  // Stored and taken away again before anyone knew: only where something takes messages away.
  if (there == present_.end() && duplicate && how_ == removal::none) right = false;
  if (!right)
    throw failure{
        "repeated " + name_of(from) + ", which is " +
        (there == present_.end() ? "not stored" : "stored with " + std::to_string(there->second)) +
        ": " + answer.dump()};
  const std::lock_guard lock{mutex_};
  sequences_[connection][number - 1] = sequence;
  if (!acknowledged_.emplace(sequence, from).second)
    throw failure{"repeated " + name_of(from) + ": has the sequence of another"};
  if (duplicate && there == present_.end()) removed_.insert(sequence);
}

}  // namespace vagus::test

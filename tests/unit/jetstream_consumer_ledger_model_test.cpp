#include "actors/jetstream/consumer_ledger.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <string>

using namespace vagus;

namespace {

/// The whole state as one row, so that states can be compared.
std::string whole(const consumer_ledger& ledger) {
  return ledger_row_writer{}.take(ledger.state())->bytes;
}

/// The same by plain lists, and slowly.
struct plain_consumer {
  struct message {
    uint64_t cseq;
    uint64_t count;
    int64_t deadline;
    bool queued;
  };
  ledger_rules rules;
  std::map<uint64_t, message> pending = {};
  std::vector<uint64_t> queue = {};
  std::map<uint64_t, uint64_t> spent = {};
  uint64_t last_cseq = 0, last_seq = 0, floor_cseq = 0, floor_seq = 0;

  void unqueue(uint64_t seq) { std::erase(queue, seq), pending.at(seq).queued = false; }
  void drop(uint64_t seq) { unqueue(seq), pending.erase(seq), settle(); }
  void settle() {
    auto p = pending.begin();
    auto cseq = pending.empty() ? last_cseq : p->second.cseq - 1;
    auto seq = pending.empty() ? last_seq : p->first - 1;
    floor_cseq = std::max(floor_cseq, cseq), floor_seq = std::max(floor_seq, seq);
    if (!rules.keeps_exhausted)
      std::erase_if(spent, [this](auto& s) { return s.first <= floor_seq; });
  }
  void spend(uint64_t seq) {
    spent[seq] = pending.at(seq).count;
    drop(seq);
  }
  void enqueue(uint64_t seq) {
    if (pending.at(seq).queued) return;
    queue.push_back(seq), pending.at(seq).queued = true;
  }
  bool last(uint64_t count) const {
    return rules.max_deliver > 0 && count >= static_cast<uint64_t>(rules.max_deliver);
  }
  void expire(int64_t now) {
    std::vector<uint64_t> due;
    for (auto& [seq, m] : pending)
      if (!m.queued && m.deadline <= now) due.push_back(seq);
    for (auto seq : due) last(pending.at(seq).count) ? spend(seq) : enqueue(seq);
  }
  void deliver(uint64_t seq, int64_t now) {
    last_seq = seq;
    pending[seq] = {++last_cseq, 1, now + rules.wait_ns(1), false};
  }
  void redeliver(int64_t now) {
    auto seq = queue.front();
    unqueue(seq);
    auto& m = pending.at(seq);
    ++last_cseq, ++m.count;
    m.deadline = now + rules.wait_ns(static_cast<uint32_t>(m.count));
  }
  bool knows(uint64_t seq, uint64_t count) const {
    auto at = pending.find(seq);
    return at != pending.end() && count >= at->second.count;
  }
  void ack(uint64_t seq) {
    if (spent.erase(seq) > 0) return settle();
    if (pending.contains(seq)) drop(seq);
  }
  void ack_all(uint64_t seq, uint64_t cseq) {
    if (seq <= floor_seq) return;
    while (!pending.empty() && pending.begin()->first <= seq) {
      unqueue(pending.begin()->first);
      pending.erase(pending.begin());
    }
    floor_cseq = std::max(floor_cseq, cseq), floor_seq = seq;
    if (!rules.keeps_exhausted) std::erase_if(spent, [seq](auto& s) { return s.first <= seq; });
  }
  void nak(uint64_t seq, uint64_t count, int64_t delay, int64_t now) {
    if (!knows(seq, count)) return;
    if (delay > 0)
      unqueue(seq), pending.at(seq).deadline = now + delay;
    else if (last(pending.at(seq).count))
      spend(seq);
    else
      enqueue(seq);
  }
  void in_progress(uint64_t seq, uint64_t count, int64_t now) {
    if (!knows(seq, count)) return;
    unqueue(seq);
    auto& m = pending.at(seq);
    m.deadline = now + rules.wait_ns(static_cast<uint32_t>(m.count));
  }
  void returned(uint64_t seq) {
    if (!pending.contains(seq)) return;
    unqueue(seq);
    --pending.at(seq).count;
    enqueue(seq);
  }
  void forget(uint64_t seq) {
    if (spent.erase(seq) > 0) settle();
    if (pending.contains(seq)) drop(seq);
  }
};

void compare(consumer_ledger& ledger, const plain_consumer& plain) {
  CHECK(ledger.delivered() == sequence_pair{plain.last_cseq, plain.last_seq});
  CHECK(ledger.ack_floor() == sequence_pair{plain.floor_cseq, plain.floor_seq});
  REQUIRE(ledger.num_ack_pending() == plain.pending.size());
  CHECK(ledger.num_queued() == plain.queue.size());
  CHECK(ledger.state().pending.queue_order() == plain.queue);
  std::optional<int64_t> next;
  size_t again = 0;
  bool same = true;
  ledger.state().pending.for_each([&](const pending_ack& e) {
    auto found = plain.pending.find(e.stream_seq);
    same = same && found != plain.pending.end();
    if (!same) return;
    const auto& m = found->second;
    same = m.cseq == e.consumer_seq && m.count == e.deliveries && m.queued == e.queued;
    if (m.count > 1) ++again;
    if (!m.queued) next = std::min(next.value_or(INT64_MAX), m.deadline);
  });
  CHECK(same);
  CHECK(ledger.state().pending.redelivered() == again);
  CHECK(ledger.next_deadline() == next);
  CHECK(ledger.state().exhausted.size() == plain.spent.size());
}

/// What was stored: rows by slot.
struct plain_disk {
  std::map<uint8_t, std::string> rows;
  size_t bytes = 0;
  size_t bases = 0;

  void write(consumer_ledger& ledger) {
    auto row = ledger.take_row();
    if (!row) return;
    bytes += row->bytes.size();
    if (row->slot == 0) ++bases;
    rows[row->slot] = std::move(row->bytes);
  }
  std::optional<consumer_ledger> read(const ledger_rules& rules) const {
    std::vector<std::string_view> list;
    for (const auto& [slot, row] : rows) list.push_back(row);
    return consumer_ledger::restore(rules, list);
  }
};

struct random_run {
  std::mt19937_64 random;
  ledger_rules rules;
  consumer_ledger ledger{rules};
  plain_consumer plain{rules};
  plain_disk disk = {};
  int64_t now = 1'000'000'000'000;
  std::vector<delivery> sent = {};

  uint64_t below(uint64_t n) { return random() % n; }
  answered_delivery some_answer() {
    if (sent.empty()) return {};
    auto near = std::min<uint64_t>(sent.size(), 40);
    const auto& d = sent[sent.size() - 1 - below(below(4) == 0 ? sent.size() : near)];
    return {d.stream_seq, d.consumer_seq, d.deliveries};
  }
  void deliver() {
    auto seq = ledger.next_seq() + (below(3) == 0 ? below(5) : 0);
    sent.push_back(ledger.deliver(seq, now));
    plain.deliver(seq, now);
  }
  void redeliver() {
    std::vector<exhausted_message> exhausted;
    auto seq = ledger.next_redelivery(exhausted);
    if (!seq) return;
    REQUIRE(*seq == plain.queue.front());
    sent.push_back(ledger.redeliver(*seq, now));
    plain.redeliver(now);
  }
  void answer() {
    auto a = some_answer();
    std::vector<uint64_t> done;
    std::vector<exhausted_message> exhausted;
    auto kind = below(10);
    if (kind < 6) {
      ledger.ack(a, now, done);
      if (a.stream_seq == 0) return;
      if (rules.ack_policy == ack_policy::all)
        plain.ack_all(a.stream_seq, a.consumer_seq);
      else
        plain.ack(a.stream_seq);
    } else if (kind < 9) {
      auto delay = static_cast<int64_t>(below(2) * below(50));
      ledger.nak(a, delay, now, exhausted);
      plain.nak(a.stream_seq, a.deliveries, delay, now);
    } else {
      ledger.in_progress(a, now);
      plain.in_progress(a.stream_seq, a.deliveries, now);
    }
  }
  void rare() {
    auto seq = some_answer().stream_seq;
    if (seq == 0) return;
    if (below(2) == 0) {
      // Only the last delivery can have reached nobody.
      bool last = !sent.empty() && sent.back().stream_seq == seq && plain.pending.contains(seq) &&
                  plain.pending.at(seq).count == sent.back().deliveries;
      if (last) ledger.return_delivery(seq), plain.returned(seq);
    } else {
      ledger.forget(seq);
      plain.forget(seq);
    }
  }
  void pass_time() {
    std::vector<exhausted_message> exhausted;
    now += static_cast<int64_t>(below(30));
    ledger.expire(now, exhausted);
    plain.expire(now);
  }
  void restart() {
    disk.write(ledger);
    auto again = disk.read(rules);
    REQUIRE(again);
    CHECK(whole(*again) == whole(ledger));
    ledger = std::move(*again);
  }
  void step() {
    auto dice = below(100);
    if (dice < 45)
      deliver();
    else if (dice < 55)
      redeliver();
    else if (dice < 88)
      answer();
    else if (dice < 90)
      rare();
    else if (dice < 95)
      pass_time();
    else if (dice < 99)
      disk.write(ledger);
    else
      restart();
  }
};

}  // namespace

TEST_CASE("jetstream ledger: random runs do what plain lists do, across restarts") {
  auto seed = GENERATE(range(1, 13));
  ledger_rules rules;
  rules.ack_policy = seed % 4 == 3 ? ack_policy::all : ack_policy::explicit_acks;
  rules.ack_wait_ns = seed % 3 == 0 ? 100'000 : 200;
  rules.max_deliver = seed % 2 == 0 ? 3 : -1;
  rules.keeps_exhausted = seed % 5 == 0;
  if (seed % 3 == 1) rules.backoff_ns = {50, 100, 400};
  random_run run{std::mt19937_64{static_cast<uint64_t>(seed)}, rules};
  for (int i = 0; i < 4000; ++i) {
    CAPTURE(seed, i);
    run.step();
    if (i % 20 == 0) compare(run.ledger, run.plain);
  }
  // Where much stays pending, changes have been stored as such.
  if (seed == 6 || seed == 9) CHECK(run.disk.rows.size() > 1);
}

TEST_CASE("jetstream ledger: rows have the bytes that storage/README.md describes") {
  ledger_rules rules;
  rules.ack_policy = ack_policy::explicit_acks;
  rules.ack_wait_ns = 10;
  rules.max_deliver = 1;
  rules.keeps_exhausted = true;
  consumer_ledger ledger{rules, 3, 4};
  std::vector<uint64_t> done;
  std::vector<exhausted_message> exhausted;
  for (uint64_t seq : {3, 5, 9}) ledger.deliver(seq, 20);
  ledger.ack({3, 1, 1}, 25, done);
  ledger.nak({9, 3, 1}, {}, 26, exhausted);
  ledger.deliver(10, 27);
  ledger.return_delivery(10);
  auto base = ledger.take_row();
  REQUIRE(base);
  CHECK(base->slot == 0);
  auto body = std::vector<int>(base->bytes.begin(), base->bytes.end() - 8);
  CHECK(body == std::vector<int>{1, 1, 0, 4,  10, 1, 4, 11, 4, 54, 50,
                                 2,  // 5 is pending, 10 queued
                                 5, 2, 2, 60, 5,  2, 1, 20, 1, 9,  1});
  for (uint64_t seq = 11; seq <= 1000; ++seq) ledger.deliver(seq, 27);
  ledger.take_row();
  ledger.deliver(1001, 30);
  ledger.ack({1000, 0, 1}, 31, done);
  auto changes = ledger.take_row();
  REQUIRE(changes);
  CHECK(changes->slot == 1);
  body.assign(changes->bytes.begin(), changes->bytes.end() - 8);
  CHECK(body ==
        std::vector<int>{1, 2, 1, 0, static_cast<signed char>(0xd2), 0x0f, 80, 60, 3, 1, 2});
}

TEST_CASE("jetstream ledger: a damaged or missing row is noticed") {
  ledger_rules rules;
  rules.ack_policy = ack_policy::explicit_acks;
  rules.ack_wait_ns = 1000;
  consumer_ledger ledger{rules};
  plain_disk disk;
  for (uint64_t seq = 1; seq <= 2000; ++seq) ledger.deliver(seq, 5);
  disk.write(ledger);
  for (int i = 0; i < 3; ++i) {
    ledger.deliver(ledger.next_seq(), 6 + i);
    disk.write(ledger);
  }
  REQUIRE(disk.rows.size() == 4);
  CHECK(whole(*disk.read(rules)) == whole(ledger));
  for (uint8_t slot = 0; slot < 4; ++slot) {
    auto broken = disk;
    broken.rows[slot][broken.rows[slot].size() / 2] ^= 1;
    CHECK(!broken.read(rules));
  }
  auto hole = disk;
  hole.rows.erase(2);
  CHECK(!hole.read(rules));
  auto headless = disk;
  headless.rows.erase(0);
  CHECK(!headless.read(rules));
}

TEST_CASE("jetstream ledger: rows of an earlier base are passed over") {
  ledger_rules rules;
  rules.ack_policy = ack_policy::explicit_acks;
  rules.ack_wait_ns = 1000;
  consumer_ledger ledger{rules};
  plain_disk disk;
  for (uint64_t seq = 1; seq <= 2000; ++seq) ledger.deliver(seq, 5);
  for (int i = 0; i < 5; ++i) {
    ledger.deliver(ledger.next_seq(), 6);
    disk.write(ledger);
  }
  ledger.rows_lost();
  ledger.deliver(ledger.next_seq(), 7);
  disk.write(ledger);
  CHECK(disk.bases == 2);
  CHECK(disk.rows.size() == 5);
  CHECK(whole(*disk.read(rules)) == whole(ledger));
}

TEST_CASE("jetstream ledger: a row that was not stored is made good by the next") {
  ledger_rules rules;
  rules.ack_policy = ack_policy::explicit_acks;
  consumer_ledger ledger{rules};
  plain_disk disk;
  disk.write(ledger);
  ledger.deliver(1, 5);
  ledger.take_row();
  ledger.rows_lost();
  CHECK(ledger.changed());
  disk.write(ledger);
  CHECK(!ledger.changed());
  CHECK(whole(*disk.read(rules)) == whole(ledger));
}

TEST_CASE("jetstream ledger: what is written is in proportion to what happens") {
  ledger_rules rules;
  rules.ack_policy = ack_policy::explicit_acks;
  rules.ack_wait_ns = 30'000'000'000;
  consumer_ledger ledger{rules};
  plain_disk disk;
  std::mt19937_64 random{7};
  std::vector<uint64_t> pending;
  int64_t now = 1'700'000'000'000'000'000;
  auto deliver = [&] { pending.push_back(ledger.deliver(ledger.next_seq(), now).stream_seq); };
  for (int i = 0; i < 100'000; ++i) deliver();
  disk.write(ledger);
  auto before = disk.bytes;
  std::vector<uint64_t> done;
  constexpr size_t commits = 500;
  constexpr size_t per_commit = 500;
  for (size_t c = 0; c < commits; ++c) {
    now += 1'000'000;
    for (size_t i = 0; i < per_commit; ++i) {
      std::swap(pending[random() % pending.size()], pending.back());
      ledger.ack({pending.back(), 0, 1}, now, done);
      pending.pop_back();
      deliver();
    }
    disk.write(ledger);
  }
  // In any order of acknowledgements: a few bytes for each delivery and each acknowledgement.
  CHECK(static_cast<double>(disk.bytes - before) / (2.0 * commits * per_commit) < 12.0);
  CHECK(whole(*disk.read(rules)) == whole(ledger));
}

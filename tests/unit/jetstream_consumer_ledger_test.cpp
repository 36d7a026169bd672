#include "actors/jetstream/consumer_ledger.hpp"
#include "storage/bytes.hpp"
#include "storage/checksum.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace vagus;

namespace {

constexpr int64_t second = 1'000'000'000;
constexpr int64_t start = 1'700'000'000 * second;

ledger_rules explicit_rules() {
  ledger_rules rules;
  rules.ack_policy = ack_policy::explicit_acks;
  rules.ack_wait_ns = 30 * second;
  return rules;
}

/// A ledger with a clock that the test moves.
struct clocked {
  explicit clocked(ledger_rules rules, uint64_t next_seq = 1)
      : ledger{std::move(rules), next_seq} {}

  consumer_ledger ledger;
  int64_t now = start;
  std::vector<uint64_t> done = {};
  std::vector<exhausted_message> exhausted = {};

  std::vector<delivery> deliver(uint64_t from, uint64_t to) {
    std::vector<delivery> out;
    for (auto seq = from; seq <= to; ++seq) out.push_back(ledger.deliver(seq, now));
    return out;
  }
  void after(int64_t ns) {
    now += ns;
    ledger.expire(now, exhausted);
  }
  /// All that waits is delivered again.
  std::vector<delivery> redeliver() {
    std::vector<delivery> out;
    while (auto seq = ledger.next_redelivery(exhausted)) out.push_back(ledger.redeliver(*seq, now));
    return out;
  }
  static answered_delivery answer(const delivery& d) {
    return {d.stream_seq, d.consumer_seq, d.deliveries};
  }
  ack_outcome ack(const delivery& d) { return ledger.ack(answer(d), now, done); }
  ack_outcome nak(const delivery& d, std::optional<int64_t> delay = {}) {
    return ledger.nak(answer(d), delay, now, exhausted);
  }
  ack_outcome in_progress(const delivery& d) { return ledger.in_progress(answer(d), now); }
};

using deliveries = std::vector<delivery>;
using sequences = std::vector<uint64_t>;
using exhausted_list = std::vector<exhausted_message>;

}  // namespace

TEST_CASE("jetstream ledger: what is not acknowledged in time is delivered again, in order") {
  clocked c{explicit_rules()};
  auto sent = c.deliver(1, 3);
  CHECK(sent == deliveries{{1, 1, 1}, {2, 2, 1}, {3, 3, 1}});
  CHECK(c.ledger.next_deadline() == start + 30 * second);
  CHECK(c.ack(sent[1]) == ack_outcome::accepted);
  c.after(30 * second - 1);
  CHECK(c.redeliver().empty());
  c.after(1);
  CHECK(c.ledger.num_queued() == 2);
  CHECK(!c.ledger.next_deadline());
  CHECK(c.redeliver() == deliveries{{1, 4, 2}, {3, 5, 2}});
  CHECK(c.ledger.num_redelivered() == 2);
  CHECK(c.ledger.next_deadline() == c.now + 30 * second);
}

TEST_CASE("jetstream ledger: the floor is before the first that is pending") {
  clocked c{explicit_rules()};
  auto sent = c.deliver(5, 5);
  auto more = c.deliver(8, 10);
  c.ack(more[0]);
  CHECK(c.ledger.ack_floor() == sequence_pair{0, 4});
  c.ack(sent[0]);
  CHECK(c.ledger.ack_floor() == sequence_pair{2, 8});
  c.ack(more[2]);
  CHECK(c.ledger.ack_floor() == sequence_pair{2, 8});
  c.ack(more[1]);
  CHECK(c.ledger.ack_floor() == sequence_pair{4, 10});
  CHECK(c.done == sequences{8, 5, 10, 9});
}

TEST_CASE("jetstream ledger: an acknowledgement counts once") {
  clocked c{explicit_rules()};
  auto sent = c.deliver(1, 2);
  CHECK(c.ack(sent[0]) == ack_outcome::accepted);
  CHECK(c.ack(sent[0]) == ack_outcome::unchanged);
  CHECK(c.nak(sent[0]) == ack_outcome::unchanged);
  CHECK(c.in_progress(sent[0]) == ack_outcome::unchanged);
  CHECK(c.ack({3, 3, 1}) == ack_outcome::beyond);
  CHECK(c.ack({0, 0, 1}) == ack_outcome::beyond);
  CHECK(c.nak({3, 3, 1}) == ack_outcome::unchanged);
  CHECK(c.in_progress({3, 3, 1}) == ack_outcome::unchanged);
  CHECK(c.done == sequences{1});
}

TEST_CASE("jetstream ledger: of a delivery that was superseded only an acknowledgement counts") {
  clocked c{explicit_rules()};
  auto old = c.deliver(1, 1)[0];
  c.after(30 * second);
  SECTION("while it only waits to be delivered again it still counts") {
    CHECK(c.ack(old) == ack_outcome::accepted);
    CHECK(c.redeliver().empty());
  }
  SECTION("once it was delivered again as well, but nothing else") {
    auto current = c.redeliver()[0];
    auto deadline = c.ledger.next_deadline();
    CHECK(c.nak(old) == ack_outcome::unchanged);
    c.now += second;
    CHECK(c.in_progress(old) == ack_outcome::unchanged);
    CHECK(c.ledger.next_deadline() == deadline);
    CHECK(c.ledger.num_ack_pending() == 1);
    CHECK(c.ack(old) == ack_outcome::accepted);
    CHECK(c.ledger.num_ack_pending() == 0);
    CHECK(c.ack(current) == ack_outcome::unchanged);
  }
}

TEST_CASE("jetstream ledger: a nak delivers again at once or after its delay") {
  clocked c{explicit_rules()};
  auto sent = c.deliver(1, 3);
  CHECK(c.nak(sent[2]) == ack_outcome::accepted);
  CHECK(c.nak(sent[2]) == ack_outcome::unchanged);
  CHECK(c.nak(sent[0], 0) == ack_outcome::accepted);
  CHECK(c.nak(sent[1], 5 * second) == ack_outcome::accepted);
  CHECK(c.redeliver() == deliveries{{3, 4, 2}, {1, 5, 2}});
  CHECK(c.ledger.next_deadline() == c.now + 5 * second);
  c.after(5 * second);
  CHECK(c.redeliver() == deliveries{{2, 6, 2}});
}

TEST_CASE("jetstream ledger: work in progress has its time again") {
  clocked c{explicit_rules()};
  auto sent = c.deliver(1, 1)[0];
  c.after(29 * second);
  CHECK(c.in_progress(sent) == ack_outcome::accepted);
  c.after(29 * second);
  CHECK(c.ledger.num_queued() == 0);
  c.after(second);
  CHECK(c.ledger.num_queued() == 1);
  // Nobody has it yet, so that the one who works on it may go on.
  CHECK(c.in_progress(sent) == ack_outcome::accepted);
  CHECK(c.redeliver().empty());
}

TEST_CASE("jetstream ledger: backoff by the number of deliveries, the last repeats") {
  auto rules = explicit_rules();
  rules.backoff_ns = {second, 5 * second};
  clocked c{rules};
  c.deliver(1, 1);
  for (int64_t wait : {1, 5, 5}) {
    CHECK(c.ledger.next_deadline() == c.now + wait * second);
    c.after(wait * second);
    CHECK(c.redeliver().size() == 1);
  }
}

TEST_CASE("jetstream ledger: after max_deliver a message is not pending and is told of once") {
  auto rules = explicit_rules();
  rules.max_deliver = 2;
  clocked c{rules};
  auto sent = c.deliver(1, 2);
  c.after(30 * second);
  c.redeliver();
  CHECK(c.exhausted.empty());
  c.after(30 * second);
  CHECK(c.exhausted == exhausted_list{{1, 2}, {2, 2}});
  CHECK(c.ledger.num_ack_pending() == 0);
  CHECK(c.ledger.ack_floor() == sequence_pair{4, 2});
  c.after(60 * second);
  CHECK(c.exhausted.size() == 2);
}

TEST_CASE("jetstream ledger: a nak of the last delivery exhausts the message") {
  auto rules = explicit_rules();
  rules.max_deliver = 1;
  clocked c{rules};
  auto sent = c.deliver(1, 2);
  c.nak(sent[1]);
  CHECK(c.exhausted == exhausted_list{{2, 1}});
  CHECK(c.ledger.place_of(2) == message_place::exhausted);
  CHECK(c.ledger.num_redelivered() == 0);
}

TEST_CASE("jetstream ledger: a work queue takes a late acknowledgement of an exhausted message") {
  auto rules = explicit_rules();
  rules.max_deliver = 1;
  rules.keeps_exhausted = true;
  clocked c{rules};
  auto sent = c.deliver(1, 1)[0];
  c.after(30 * second);
  CHECK(c.ledger.place_of(1) == message_place::exhausted);
  CHECK(c.ack(sent) == ack_outcome::accepted);
  CHECK(c.done == sequences{1});
  CHECK(c.ledger.place_of(1) == message_place::done);
}

TEST_CASE("jetstream ledger: a lower max_deliver exhausts what waits in the queue") {
  clocked c{explicit_rules()};
  c.deliver(1, 1);
  c.after(30 * second);
  c.redeliver();
  c.after(30 * second);
  auto rules = explicit_rules();
  rules.max_deliver = 2;
  c.ledger.change_rules(rules);
  CHECK(c.redeliver().empty());
  CHECK(c.exhausted == exhausted_list{{1, 2}});
}

TEST_CASE("jetstream ledger: max_ack_pending holds new messages back, not old ones") {
  auto rules = explicit_rules();
  rules.max_ack_pending = 2;
  clocked c{rules};
  CHECK(c.ledger.may_deliver_new());
  auto sent = c.deliver(1, 2);
  CHECK(!c.ledger.may_deliver_new());
  c.after(30 * second);
  CHECK(c.redeliver().size() == 2);
  CHECK(!c.ledger.may_deliver_new());
  c.ack({1, 1, 2});
  CHECK(c.ledger.may_deliver_new());
}

TEST_CASE("jetstream ledger: with ack policy all everything before is acknowledged as well") {
  auto rules = explicit_rules();
  rules.ack_policy = ack_policy::all;
  clocked c{rules};
  auto sent = c.deliver(1, 5);
  CHECK(c.ack(sent[2]) == ack_outcome::accepted);
  CHECK(c.done == sequences{1, 2, 3});
  CHECK(c.ledger.ack_floor() == sequence_pair{3, 3});
  CHECK(c.ack(sent[1]) == ack_outcome::unchanged);
  CHECK(c.ledger.num_ack_pending() == 2);
  CHECK(c.ack({4, 1, 1}) == ack_outcome::accepted);  // of an earlier delivery
  CHECK(c.ledger.ack_floor() == sequence_pair{3, 4});
  CHECK(c.ack({5, 999, 1}) == ack_outcome::accepted);
  CHECK(c.ledger.ack_floor() == sequence_pair{5, 5});
}

TEST_CASE("jetstream ledger: without acknowledgements the floor follows the deliveries") {
  clocked c{ledger_rules{}};
  auto sent = c.deliver(3, 4);
  CHECK(c.ledger.ack_floor() == sequence_pair{2, 4});
  CHECK(c.ledger.num_ack_pending() == 0);
  CHECK(c.ledger.may_deliver_new());
  CHECK(!c.ledger.next_deadline());
  CHECK(c.ack(sent[0]) == ack_outcome::unchanged);
}

TEST_CASE("jetstream ledger: a delivery that reached nobody does not count") {
  clocked c{explicit_rules()};
  c.deliver(1, 1);
  c.ledger.return_delivery(1);
  CHECK(c.redeliver() == deliveries{{1, 2, 1}});
  CHECK(c.ledger.num_redelivered() == 0);
}

TEST_CASE("jetstream ledger: what leaves the stream is no longer pending") {
  clocked c{explicit_rules()};
  c.deliver(1, 6);
  c.ledger.forget(2);
  CHECK(c.ledger.num_ack_pending() == 5);
  c.ledger.forget_up_to(4);
  CHECK(c.ledger.num_ack_pending() == 2);
  CHECK(c.ledger.ack_floor() == sequence_pair{4, 4});
  c.ledger.forget_up_to(20);
  CHECK(c.ledger.num_ack_pending() == 0);
  CHECK(c.ledger.next_seq() == 21);
  CHECK(c.ledger.ack_floor() == sequence_pair{6, 20});
}

TEST_CASE("jetstream ledger: another receiver gets all that is pending") {
  clocked c{explicit_rules()};
  auto sent = c.deliver(1, 3);
  c.nak(sent[2]);
  c.ledger.expire_all();
  CHECK(c.redeliver() == deliveries{{3, 4, 2}, {1, 5, 2}, {2, 6, 2}});
}

TEST_CASE("jetstream ledger: deadlines move with the wait") {
  clocked c{explicit_rules()};
  c.deliver(1, 1);
  auto rules = explicit_rules();
  rules.ack_wait_ns = 10 * second;
  c.ledger.change_rules(rules);
  CHECK(c.ledger.next_deadline() == c.now + 10 * second);
}

TEST_CASE("jetstream ledger: a wait without end does not overflow") {
  auto rules = explicit_rules();
  rules.ack_wait_ns = INT64_MAX;
  clocked c{rules};
  c.deliver(1, 1);
  CHECK(c.ledger.next_deadline() == INT64_MAX);
}

TEST_CASE("jetstream ledger: where a message stands") {
  clocked c{explicit_rules(), 5};
  auto sent = c.deliver(5, 6);
  c.ack(sent[0]);
  CHECK(c.ledger.place_of(4) == message_place::done);
  CHECK(c.ledger.place_of(5) == message_place::done);
  CHECK(c.ledger.place_of(6) == message_place::pending);
  CHECK(c.ledger.place_of(7) == message_place::ahead);
}

TEST_CASE("jetstream ledger: a restored state that is out of order is not readable") {
  constexpr uint64_t most = UINT64_MAX;
  // Delivered and acknowledged, the next sequence, ..., one pending message after the other.
  auto readable = [](uint64_t next_seq, std::initializer_list<uint64_t> distances) {
    std::string row{"\1\1\0", 3};
    for (uint64_t number : {uint64_t{1}, uint64_t{1}, uint64_t{0}, uint64_t{0}, next_seq})
      append_varint(row, number);
    row.append(3, '\0');
    append_varint(row, distances.size());
    for (auto distance : distances) {
      append_varint(row, distance);
      row.append("\1\2\2");
    }
    row.push_back('\0');
    seal(row, 1 << 8);
    ledger_state state;
    return read_ledger_rows({row}, state).has_value();
  };
  CHECK(readable(20, {5, 3}));
  CHECK(readable(9, {5, 3}));
  CHECK_FALSE(readable(8, {5, 3}));
  CHECK_FALSE(readable(20, {5, 0}));
  CHECK_FALSE(readable(most, {5, most - 4}));
  CHECK_FALSE(readable(0, {}));
}

// The ledger finds what it is there to find: each thing that a server can do wrong, done once.
#define CATCH_CONFIG_MAIN
#include "tests/durability/kill_ledger.hpp"

#include <catch2/catch.hpp>

using namespace vagus::test;
using Catch::Matchers::Contains;

namespace {

/// A stream with two connections, and a server's contents of it that can be doctored.
struct judged {
  explicit judged(removal how) : book{"S", how, 2} {}

  /// Sent, stored with that sequence, and perhaps acknowledged.
  void store(size_t connection, uint64_t sequence, bool acknowledged = true) {
    const auto number = book.next_of(connection);
    put(connection, number, sequence);
    if (acknowledged) book.acknowledge(connection, number, {{"stream", "S"}, {"seq", sequence}});
  }

  void put(size_t connection, uint64_t number, uint64_t sequence) {
    const auto headers = "NATS/1.0\r\nNats-Msg-Id: " + book.id_of(connection, number) +
                         "\r\nNats-Subject: " + book.subject_of(connection, number) +
                         "\r\nNats-Sequence: " + std::to_string(sequence) + "\r\n\r\n";
    there.messages.push_back({"reply", headers, book.payload_of(connection, number)});
    settle();
  }

  void lose(size_t index, size_t count = 1) {
    const auto from = there.messages.begin() + static_cast<long>(index);
    there.messages.erase(from, from + static_cast<long>(count));
    settle();
  }

  /// First, last and count as the messages have them.
  void settle() {
    there.count = there.messages.size();
    if (there.messages.empty()) return;
    there.first = std::stoull(there.messages.front().header("Nats-Sequence"));
    there.last =
        std::max<uint64_t>(there.last, std::stoull(there.messages.back().header("Nats-Sequence")));
  }

  std::string verdict() {
    try {
      book.judge(there);
      return "right";
    } catch (const failure& e) {
      return e.what();
    }
  }

  ledger book;
  ledger::contents there;
};

/// Without limits, with the sequences 1 to 4: two messages of each connection.
struct four_of_two : judged {
  four_of_two() : judged{removal::none} {
    for (uint64_t sequence = 1; sequence <= 4; ++sequence) store(sequence % 2, sequence);
  }
};

}  // namespace

TEST_CASE("kill ledger: what was acknowledged and is there is right") {
  four_of_two j;
  CHECK(j.verdict() == "right");
  j.store(0, 5, false);
  CHECK(j.verdict() == "right");
  j.book.next_of(0);
  CHECK(j.verdict() == "right");
}

TEST_CASE("kill ledger: a lost message is found at the end, the beginning and in between") {
  for (size_t index : {0, 1, 3}) {
    four_of_two j;
    j.lose(index);
    if (index == 3) j.there.last = 3;
    CHECK_THAT(j.verdict(), Contains("lost: "));
  }
}

TEST_CASE("kill ledger: a message that is stored twice is found") {
  four_of_two j;
  j.put(1, 1, 5);
  CHECK_THAT(j.verdict(), Contains("twice: S-1-1 at 5"));
}

TEST_CASE("kill ledger: a message with another sequence than acknowledged is found") {
  four_of_two j;
  j.lose(3);
  j.put(0, 2, 5);
  CHECK_THAT(j.verdict(), Contains("moved: S-0-2 at 5, acknowledged with 4"));
}

TEST_CASE("kill ledger: a connection's messages in another order are found") {
  four_of_two j;
  j.book.next_of(0);
  j.book.next_of(0);
  j.put(0, 4, 5);
  j.put(0, 3, 6);
  CHECK_THAT(j.verdict(), Contains("out of order: S-0-3 at 6"));
}

TEST_CASE("kill ledger: an unacknowledged message is missed when a later one is there") {
  four_of_two j;
  j.book.next_of(0);
  j.book.next_of(0);
  j.put(0, 4, 5);
  CHECK_THAT(j.verdict(), Contains("hole: S-0-3"));
}

TEST_CASE("kill ledger: a sequence without a message is found") {
  four_of_two j;
  j.store(0, 6, false);
  CHECK_THAT(j.verdict(), Contains("gap at 5"));
}

TEST_CASE("kill ledger: a changed payload, subject or id is found") {
  four_of_two payload, subject, id;
  payload.there.messages[1].payload.back() ^= 1;
  subject.there.messages[1].headers.replace(subject.there.messages[1].headers.find("S.c"), 3,
                                            "S.d");
  id.there.messages[1].headers.replace(id.there.messages[1].headers.find("S-0"), 3, "S-1");
  for (auto* j : {&payload, &subject, &id})
    CHECK_THAT(j->verdict(), Contains("is not what was sent"));
}

TEST_CASE("kill ledger: a wrong count or a wrong first sequence is found") {
  four_of_two count, first;
  count.there.count = 3;
  first.there.first = 2;
  CHECK_THAT(count.verdict(), Contains("says that it has 3 messages, but gives 4"));
  CHECK_THAT(first.verdict(), Contains("not those of its messages"));
}

TEST_CASE("kill ledger: a deleted message may be there while nobody knows, and never after") {
  judged j{removal::requests};
  for (uint64_t sequence = 1; sequence <= 60; ++sequence) j.store(sequence % 2, sequence);
  std::mt19937_64 random{1};
  const auto sequence = j.book.choose_delete(random);
  REQUIRE(sequence > 0);
  SECTION("unanswered and still there") {
    CHECK(j.verdict() == "right");
    j.lose(sequence - 1);
    CHECK_THAT(j.verdict(), Contains("lost: "));
  }
  SECTION("unanswered and gone") {
    const auto removed = j.there;
    j.lose(sequence - 1);
    CHECK(j.verdict() == "right");
    j.there = removed;
    CHECK_THAT(j.verdict(), Contains("came back: "));
  }
  SECTION("acknowledged and still there") {
    j.book.delete_acknowledged(sequence);
    CHECK_THAT(j.verdict(), Contains("came back: "));
  }
}

TEST_CASE("kill ledger: what a purge took stays away, and it takes nothing else") {
  judged j{removal::requests};
  for (uint64_t sequence = 1; sequence <= 600; ++sequence) j.store(sequence % 2, sequence);
  std::mt19937_64 random{1};
  ledger::purge purge;
  while (purge.below == 0 || !purge.filter.empty()) purge = j.book.choose_purge(random);
  j.book.purge_acknowledged(purge);
  CHECK_THAT(j.verdict(), Contains("came back: "));
  j.lose(0, purge.below - 1);
  CHECK(j.verdict() == "right");
  j.lose(0);
  CHECK_THAT(j.verdict(), Contains("lost: "));
}

TEST_CASE("kill ledger: a limit takes the oldest messages and only as many as it must") {
  judged j{removal::limit};
  for (uint64_t sequence = 1; sequence <= 310; ++sequence) j.store(sequence % 2, sequence);
  CHECK_THAT(j.verdict(), Contains("more than its limit"));
  j.lose(0, 10);
  CHECK(j.verdict() == "right");
  j.lose(0);
  CHECK_THAT(j.verdict(), Contains("lost: "));
}

TEST_CASE("kill ledger: one message of each subject stays where that is the limit") {
  judged j{removal::per_subject};
  for (uint64_t sequence = 1; sequence <= 12; ++sequence) j.store(0, sequence);
  // The numbers 1, 10 and 12 have one subject: their squares have one remainder.
  CHECK_THAT(j.verdict(), Contains("more than one message of "));
  judged one{removal::per_subject};
  one.store(0, 1);
  one.lose(0);
  one.there.last = 1;
  CHECK_THAT(one.verdict(), Contains("lost: "));
}

TEST_CASE("kill ledger: an acknowledgement that cannot be is refused") {
  judged j{removal::none};
  j.store(0, 7);
  const auto number = j.book.next_of(0), other = j.book.next_of(1);
  const auto ack = [](uint64_t sequence) { return nlohmann::json{{"seq", sequence}}; };
  CHECK_THROWS_AS(j.book.acknowledge(0, number, ack(6)), failure);
  CHECK_THROWS_AS(j.book.acknowledge(1, other, ack(7)), failure);
  CHECK_THROWS_AS(j.book.acknowledge(0, 1, ack(8)), failure);
  CHECK_THROWS_AS(j.book.acknowledge(0, number, {{"seq", 8}, {"duplicate", true}}), failure);
  CHECK_THROWS_AS(j.book.acknowledge(0, number, {{"error", {{"code", 503}}}, {"seq", 0}}), failure);
}

#include "actors/jetstream/interest_table.hpp"
#include "storage/tables.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace vagus;

namespace {

/// A consumer that has been delivered all up to `delivered`, without an acknowledgement of these.
ledger_state having(uint64_t delivered, std::vector<uint64_t> pending = {}, uint64_t floor = 0) {
  ledger_state state;
  state.delivered = {delivered, delivered};
  state.ack_floor = {floor, floor};
  for (auto seq : pending) state.pending.restore({.stream_seq = seq, .consumer_seq = seq});
  return state;
}

/// Whose first message is `seq`.
ledger_state starting(uint64_t seq) {
  return having(seq - 1, {}, seq - 1);
}

/// Those of 1 to `last` that may go.
std::vector<uint64_t> removable(const interest_table& table, uint64_t last,
                                std::string_view subject = "a.1") {
  std::vector<uint64_t> all;
  for (uint64_t seq = 1; seq <= last; ++seq)
    if (!table.needed(seq, subject)) all.push_back(seq);
  return all;
}

using seqs = std::vector<uint64_t>;

}  // namespace

TEST_CASE("interest table: without consumers nothing is wanted or needed") {
  interest_table table;
  CHECK(table.empty());
  CHECK(!table.wanted("a.1"));
  CHECK(!table.needed(1, "a.1"));
  CHECK(table.floor_of("c") == 0);
}

TEST_CASE("interest table: wanted is what some filter takes") {
  interest_table table;
  table.add("c", {"a.1", "b.*"}, starting(1));
  table.add("d", {"b.*"}, starting(1));
  CHECK(table.wanted("a.1"));
  CHECK(!table.wanted("a.2"));
  table.remove("c");
  CHECK(!table.wanted("a.1"));
  CHECK(table.wanted("b.7"));
  table.set_filters("d", {"x", ">"});
  CHECK(table.wanted("a.1"));
  table.set_filters("d", {"x"});
  CHECK(!table.wanted("b.7"));
  table.add("d", {}, starting(1));
  CHECK(table.wanted("b.7"));
}

TEST_CASE("interest table: a message goes when all whose filters take it are done") {
  interest_table table;
  table.add("c", {}, starting(1));
  table.add("d", {"a.*"}, starting(1));
  table.add("e", {"b.*"}, starting(1));
  table.note_done("c", 2);
  CHECK(table.needed(2, "a.1"));
  table.note_done("d", 2);
  CHECK(!table.needed(2, "a.1"));
  CHECK(table.needed(1, "a.1"));
}

TEST_CASE("interest table: what is before a consumer's first message is none of its business") {
  interest_table table;
  table.add("c", {}, starting(3));
  CHECK(removable(table, 5) == seqs{1, 2});
}

TEST_CASE("interest table: what was delivered and is not pending was done before a restart") {
  interest_table table;
  table.add("c", {}, having(6, {2, 5}));
  CHECK(removable(table, 8) == seqs{1, 3, 4, 6});
  table.note_done("c", 2);
  CHECK(table.floor_of("c") == 4);
  table.note_done("c", 5);
  CHECK(table.floor_of("c") == 6);
  CHECK(table.runs() == 0);
}

TEST_CASE("interest table: a message that reached max_deliver stays until it is acknowledged") {
  interest_table table;
  table.add("c", {}, starting(1));
  table.note_exhausted("c", 2);
  table.note_floor("c", 4);
  CHECK(removable(table, 4) == seqs{1, 3, 4});
  CHECK(table.floor_of("c") == 1);
  table.note_done("c", 2);
  CHECK(removable(table, 4) == seqs{1, 2, 3, 4});
}

TEST_CASE("interest table: a message that reached max_deliver stays after a restart") {
  interest_table table;
  auto state = having(5, {4}, 3);
  state.exhausted = {{2, 1}, {5, 1}};
  table.add("c", {}, state);
  CHECK(removable(table, 5) == seqs{1, 3});
  table.remove("c");
  CHECK(removable(table, 5) == seqs{1, 2, 3, 4, 5});
}

TEST_CASE("interest table: only so many that reached max_deliver are kept") {
  interest_table table;
  table.add("c", {}, starting(1));
  for (uint64_t seq = 1; seq <= max_exhausted + 2; ++seq) table.note_exhausted("c", seq);
  table.note_floor("c", max_exhausted + 2);
  CHECK(removable(table, 4) == seqs{1, 2});
}

TEST_CASE("interest table: with other filters delivered messages are needed no longer") {
  interest_table table;
  table.add("c", {"a.1"}, having(2, {1, 2}));
  CHECK(table.needed(1, "a.1"));
  table.set_filters("c", {"a.2"});
  CHECK(!table.needed(1, "a.1"));
  CHECK(table.needed(1, "a.2"));
}

TEST_CASE("interest table: wider filters need nothing up to the acknowledgement floor") {
  interest_table table;
  table.add("c", {"a.2"}, starting(1));
  table.note_done("c", 3);
  table.note_floor("c", 3);
  table.set_filters("c", {"a.*"});
  CHECK(removable(table, 5) == seqs{1, 2, 3});
}

TEST_CASE("interest table: runs grow together and end in the floor") {
  interest_table table;
  table.add("c", {}, starting(1));
  for (uint64_t seq : {3, 5, 9, 4, 9, 8}) table.note_done("c", seq);
  CHECK(table.runs() == 2);
  CHECK(removable(table, 10) == seqs{3, 4, 5, 8, 9});
  table.note_floor("c", 6);
  CHECK(table.floor_of("c") == 6);
  CHECK(table.runs() == 1);
  table.note_floor("c", 2);
  CHECK(table.floor_of("c") == 6);
  table.note_done("c", 7);
  CHECK(table.floor_of("c") == 9);
  CHECK(table.runs() == 0);
}

TEST_CASE("interest table: behind a message that is never acknowledged nothing is kept of others") {
  interest_table table;
  table.add("c", {"a.*"}, starting(1));
  for (uint64_t seq = 3; seq < 20001; seq += 2) {  // those between have other subjects
    table.note_done("c", seq);
    table.forget(seq);
  }
  CHECK(table.runs() == 0);
  for (uint64_t seq = 20001; seq < 20100; ++seq) table.note_done("c", seq);
  CHECK(table.runs() == 1);
  for (uint64_t seq = 20001; seq < 20100; ++seq) table.forget(seq);
  CHECK(table.runs() == 0);
  CHECK(table.needed(1, "a.1"));
}

TEST_CASE("interest table: the same as a list of what each consumer is not done with") {
  std::mt19937 random{11};
  auto up_to = [&](uint64_t n) {
    return std::uniform_int_distribution<uint64_t>{0, n - 1}(random);
  };
  constexpr uint64_t last = 60;
  const std::vector<std::vector<std::string>> choices{{}, {"a.*"}, {"b"}, {"a.1", "b"}, {">", "b"}};
  const std::vector<std::string> subjects{"a.1", "a.2", "b", "c"};
  struct model {
    std::vector<std::string> filters;
    std::set<uint64_t> open;
  };
  std::map<std::string, model> models;
  interest_table table;
  std::set<uint64_t> gone;
  auto takes = [](const model& m, const std::string& subject) {
    return m.filters.empty() || std::any_of(m.filters.begin(), m.filters.end(), [&](const auto& f) {
             return filter_matches(f, subject);
           });
  };
  for (int step = 0; step < 4000; ++step) {
    std::string name(1, static_cast<char>('p' + up_to(4)));
    auto& m = models[name];
    auto seq = 1 + up_to(last);
    switch (up_to(7)) {
      case 0:
        m.open.clear();
        m.filters = choices[up_to(choices.size())];
        for (auto s = seq; s <= last; ++s) m.open.insert(s);
        table.add(name, m.filters, starting(seq));
        break;
      case 1:
        table.remove(name);
        models.erase(name);
        break;
      case 2:
        if (!table.floor_of(name) && m.open.empty()) break;
        m.filters = choices[up_to(choices.size())];
        table.set_filters(name, m.filters);
        break;
      case 3:
        m.open.erase(m.open.begin(), m.open.upper_bound(seq / 4));
        table.note_floor(name, seq / 4);
        break;
      default:
        m.open.erase(seq);
        table.note_done(name, seq);
    }
    for (uint64_t s = 1; s <= last; ++s)
      for (const auto& subject : subjects) {
        bool needed = std::any_of(models.begin(), models.end(), [&](const auto& e) {
          return takes(e.second, subject) && e.second.open.contains(s);
        });
        REQUIRE(table.needed(s, subject) == needed);
      }
  }
}

#include "jetstream_consumer_world.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <random>
#include <set>
#include <sstream>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

const char* storage() {
  return GENERATE("memory", "file");
}

struct stream_world {
  jetstream_world world;
  consumer_bench b{world};

  explicit stream_world(const char* kind, std::string_view more = {}) { b.c.make(kind, more); }
};

/// Twelve messages on three subjects in turn, one each second.
struct twelve_messages : stream_world {
  explicit twelve_messages(const char* kind) : stream_world{kind} {
    for (int i = 0; i < 12; ++i) {
      b.publish(1, i % 3 == 0 ? "s.a" : i % 3 == 1 ? "s.b" : "s.c");
      b.wait(1s);
    }
  }

  std::string all(std::string_view members) {
    b.make(members);
    auto pending = b.info().at("num_pending").get<uint64_t>();
    auto words = b.pulls(R"({"batch":100,"no_wait":true})");
    CHECK(b.info().at("num_pending") == 0);
    auto end = words.rfind("<404 No Messages>");
    CHECK(end != std::string::npos);
    words.resize(end == 0 ? 0 : end - 1);
    auto count =
        words.empty() ? 0u : static_cast<unsigned>(std::count(words.begin(), words.end(), ' ')) + 1;
    CHECK(count == pending);
    return words;
  }
};

}  // namespace

TEST_CASE("consumer: each deliver policy begins where it says") {
  twelve_messages w{storage()};
  auto [members, words] = GENERATE(table<std::string, std::string>({
      {R"(,"deliver_policy":"all")", "1 2 3 4 5 6 7 8 9 10 11 12"},
      {R"(,"deliver_policy":"last")", "12"},
      {R"(,"deliver_policy":"new")", ""},
      {R"(,"deliver_policy":"by_start_sequence","opt_start_seq":11)", "11 12"},
      {R"(,"deliver_policy":"by_start_sequence","opt_start_seq":100)", ""},
      {R"(,"deliver_policy":"by_start_time","opt_start_time":"2026-01-01T00:00:09.5Z")", "11 12"},
      {R"(,"deliver_policy":"by_start_time","opt_start_time":"2026-01-01T00:00:10Z")", "11 12"},
      {R"(,"deliver_policy":"by_start_time","opt_start_time":"2027-01-01T00:00:00Z")", ""},
      {R"(,"filter_subject":"s.>","deliver_policy":"last_per_subject")", "10 11 12"},
      {R"(,"filter_subject":"s.b")", "2 5 8 11"},
      {R"(,"filter_subject":"s.*","deliver_policy":"by_start_sequence","opt_start_seq":12)", "12"},
      {R"(,"filter_subjects":["s.a","s.c"],"deliver_policy":"by_start_sequence","opt_start_seq":6)",
       "6 7 9 10 12"},
      {R"(,"filter_subject":"s.a","deliver_policy":"last")", "10"},
      {R"(,"filter_subject":"s.none","deliver_policy":"last")", ""},
      {R"(,"filter_subjects":["s.a","s.b"],"deliver_policy":"last")", "11"},
      {R"(,"filter_subject":"s.a","deliver_policy":"last_per_subject")", "10"},
      {R"(,"filter_subjects":["s.a","s.b"],"deliver_policy":"last_per_subject")", "10 11"},
      {R"(,"filter_subject":"s.none","deliver_policy":"last_per_subject")", ""},
  }));
  INFO(members);
  CHECK(w.all(members) == words);
}

TEST_CASE("consumer: whatever the deliver policy, what is stored later is delivered") {
  twelve_messages w{storage()};
  const std::string members = GENERATE(
      R"(,"deliver_policy":"all")", R"(,"deliver_policy":"last")", R"(,"deliver_policy":"new")",
      R"(,"deliver_policy":"by_start_sequence","opt_start_seq":13)",
      R"(,"deliver_policy":"by_start_time","opt_start_time":"2027-01-01T00:00:00Z")",
      R"(,"deliver_policy":"last_per_subject","filter_subject":"s.b")",
      R"(,"deliver_policy":"last_per_subject","filter_subject":"s.new")",
      R"(,"deliver_policy":"last","filter_subject":"s.new")");
  INFO(members);
  w.all(members);
  w.b.publish(1, members.find("s.new") == std::string::npos ? "s.b" : "s.new");
  CHECK(w.b.pulls() == "13");
}

TEST_CASE("consumer: last_per_subject also while messages are published and removed") {
  stream_world w{storage()};
  w.b.publish(3, "s.a");
  w.b.publish(3, "s.b");
  w.b.publish(1, "s.c");
  w.b.make(R"(,"deliver_policy":"last_per_subject","filter_subject":"s.*")");
  CHECK(w.b.info().at("num_pending") == 3);
  w.b.publish(1, "s.a");
  CHECK(w.b.api("STREAM.MSG.DELETE.S", R"({"seq":6})").at("success") == true);
  CHECK(w.b.info().at("num_pending") == 3);
  CHECK(w.b.pulls("10") == "3 7 8");
  CHECK(w.b.info().at("num_pending") == 0);
}

TEST_CASE("consumer: a delivery carries subject, headers, payload, and its numbers") {
  stream_world w{storage()};
  w.b.c.tell("s.a", "one", header("A", "b"));
  w.b.c.tell("s.b", "two");
  w.world.settle();
  w.b.make(R"(,"filter_subject":"s.>")");
  CHECK(w.b.pulls("5") == "1 2");
  const auto& one = w.b.last("1");
  CHECK(one.subject == "s.a");
  CHECK(one.headers == header("A", "b"));
  CHECK(one.payload == "one");
  CHECK(one.reply == "$JS.ACK.S.C.1.1.1.1767225600000000000.1");
  CHECK(w.b.last("2").reply == "$JS.ACK.S.C.1.2.2.1767225600000000000.0");
}

TEST_CASE("consumer: messages go to the requests in turn") {
  stream_world w{"memory"};
  w.b.make();
  w.b.next("2", "R.a");
  w.b.next("2", "R.b");
  w.b.publish(4);
  CHECK(w.b.heard() == "1 2 3 4");
  CHECK(w.b.info().at("num_waiting") == 0);
}

TEST_CASE("consumer: a batch of requests at once gets every message once") {
  stream_world w{storage()};
  w.b.make();
  for (int i = 0; i < 100; ++i) w.b.c.tell("$JS.API.CONSUMER.MSG.NEXT.S.C", "7", {}, "R.m");
  for (int i = 0; i < 700; ++i) w.b.c.tell("s.a", "x");
  w.world.settle();
  std::set<std::string> seen;
  auto words = w.b.heard();
  std::istringstream in{words};
  size_t count = 0;
  for (std::string word; in >> word; ++count) seen.insert(word);
  CHECK(count == 700);
  CHECK(seen.size() == 700);
}

TEST_CASE("consumer: more than one turn delivers is delivered all the same") {
  stream_world w{storage()};
  w.b.publish(3000);
  w.b.make(R"(,"max_ack_pending":-1)");
  auto words = w.b.pulls("3000");
  CHECK(std::count(words.begin(), words.end(), ' ') == 2999);
  CHECK(words.ends_with(" 3000"));
  CHECK(w.b.told_pending() == 0);
}

TEST_CASE("consumer: max_bytes of a request ends it at the message that does not fit") {
  stream_world w{"memory"};
  w.b.publish(5);
  w.b.make();
  CHECK(w.b.pulls(R"({"batch":5,"max_bytes":10})") == "<409 Message Size Exceeds MaxBytes>");
  CHECK(w.b.pulls(R"({"batch":5,"max_bytes":120})") == "1 2 <409 Message Size Exceeds MaxBytes>");
}

TEST_CASE("consumer: deleted and purged messages are passed over, pending ones forgotten") {
  stream_world w{storage()};
  w.b.publish(6);
  w.b.make(member("ack_wait", 1s));
  CHECK(w.b.pulls("2") == "1 2");
  w.b.api("STREAM.MSG.DELETE.S", R"({"seq":1})");
  w.b.api("STREAM.MSG.DELETE.S", R"({"seq":3})");
  auto info = w.b.info();
  CHECK(info.at("num_ack_pending") == 1);
  CHECK(info.at("num_pending") == 3);
  CHECK(w.b.pulls("2") == "4 5");
  w.b.api("STREAM.PURGE.S");
  info = w.b.info();
  CHECK(info.at("num_ack_pending") == 0);
  CHECK(info.at("num_pending") == 0);
  CHECK(info.at("ack_floor").at("stream_seq") == 6);
  CHECK(w.b.heard_after(2s).empty());
  w.b.publish(1);
  CHECK(w.b.pulls() == "7");
}

TEST_CASE("consumer: a pull that waits is served after a purge that sets the sequence ahead") {
  stream_world w{storage()};
  w.b.make();
  w.b.next("5");
  w.b.api("STREAM.PURGE.S", R"({"seq":50})");
  w.b.publish(1);
  w.b.api("STREAM.PURGE.S", R"({"seq":50})");
  w.b.publish(2);
  CHECK_FALSE(w.b.heard().empty());
  auto info = w.b.info();
  CHECK(info.at("num_pending") == 0);
  CHECK(info.at("delivered").at("stream_seq") == w.b.c.state().at("last_seq"));
}

TEST_CASE("consumer: limits of the stream take away what is pending and what is to come") {
  stream_world w{storage(), R"(,"max_msgs":3)"};
  w.b.make(member("ack_wait", 1s));
  w.b.publish(3);
  CHECK(w.b.pulls("2") == "1 2");
  w.b.publish(2);
  auto info = w.b.info();
  CHECK(info.at("num_ack_pending") == 0);
  CHECK(info.at("num_pending") == 3);
  CHECK(info.at("ack_floor").at("stream_seq") == 2);
  w.b.publish(3);
  CHECK(w.b.info().at("num_pending") == 3);
  CHECK(w.b.pulls("5") == "6 7 8");
}

TEST_CASE("consumer: a message that its successor replaces is neither pending nor to come") {
  stream_world w{storage(), R"(,"max_msgs_per_subject":1)"};
  w.b.make(member("ack_wait", 1s));
  w.b.publish(1, "s.a");
  w.b.publish(1, "s.b");
  CHECK(w.b.pulls() == "1");
  w.b.publish(1, "s.a");
  w.b.publish(1, "s.b");
  auto info = w.b.info();
  CHECK(info.at("num_ack_pending") == 0);
  CHECK(info.at("num_pending") == 2);
  CHECK(w.b.heard_after(2s).empty());
  CHECK(w.b.pulls("5") == "3 4");
}

// ---- priority groups ----

TEST_CASE("consumer: overflow serves a request only when enough is pending or unacknowledged") {
  stream_world w{"memory"};
  w.b.make(R"(,"priority_policy":"overflow","priority_groups":["g"])");
  w.b.next(R"({"batch":5,"group":"g","min_pending":3})");
  w.b.publish(2);
  CHECK(w.b.heard().empty());
  w.b.publish(1);
  CHECK(w.b.heard() == "1");
  CHECK(w.b.pulls(R"({"batch":1,"group":"g","min_ack_pending":1})") == "2");
  CHECK(w.b.pulls(R"({"batch":1})") == "<400 Bad Request - Priority Group missing>");
  CHECK(w.b.pulls(R"({"batch":1,"group":"h"})") == "<400 Bad Request - Invalid Priority Group>");
}

TEST_CASE("consumer: a request that does not wait ends when it may not have what is there") {
  stream_world w{"memory"};
  w.b.make(R"(,"priority_policy":"overflow","priority_groups":["g"])");
  w.b.publish(1);
  CHECK(w.b.pulls(R"({"no_wait":true,"group":"g","min_pending":2})") == "<404 No Messages>");
}

TEST_CASE("consumer: a pinned client gets everything until it is silent for priority_timeout") {
  stream_world w{"memory"};
  w.b.make(R"(,"priority_policy":"pinned_client","priority_groups":["g"])" +
           member("priority_timeout", 5s));
  w.b.c.hear("$JS.EVENT.ADVISORY.CONSUMER.UNPINNED.>", 2);
  w.b.next(R"({"batch":10,"group":"g"})", "R.a");
  w.b.next(R"({"batch":10,"group":"g"})", "R.b");
  w.b.publish(3);
  CHECK(w.b.heard() == "1 2 3");
  auto headers = w.b.last("3").headers;
  REQUIRE(headers.starts_with("NATS/1.0\r\nNats-Pin-Id: "));
  auto pin = headers.substr(23, headers.size() - 23 - 4);
  auto group = w.b.info().at("priority_groups").at(0);
  CHECK(group.at("pinned_client_id") == pin);
  CHECK(w.b.pulls(R"({"batch":1,"group":"g","id":"other"})") == "<423 Nats-Pin-Id mismatch>");
  CHECK(w.b.heard_after(5200ms) == "$JS.EVENT.ADVISORY.CONSUMER.UNPINNED.S.C");
  w.b.publish(1);
  w.b.heard();
  CHECK(w.b.last("4").headers.find(pin) == std::string::npos);
}

TEST_CASE("consumer: CONSUMER.UNPIN lets another client be pinned") {
  stream_world w{"memory"};
  w.b.make(R"(,"priority_policy":"pinned_client","priority_groups":["g"])");
  w.b.next(R"({"batch":10,"group":"g"})", "R.a");
  w.b.publish(1);
  w.b.heard();
  CHECK(error_in(w.b.api("CONSUMER.UNPIN.S.C", R"({"group":"h"})")) == 10160);
  CHECK(error_in(w.b.api("CONSUMER.UNPIN.S.C", R"({"group":"g"})")) == 0);
  CHECK_FALSE(w.b.info().at("priority_groups").at(0).contains("pinned_client_id"));
}

// ---- num_pending ----

namespace {

/// Does this and that to a stream, and compares with lists what its consumers say of what is to
/// come.
class pending_model {
public:
  pending_model(const char* kind, unsigned seed, std::vector<std::string> filters)
      : random_{seed}, w_{kind}, filters_{std::move(filters)} {
    std::string members = R"(,"max_ack_pending":-1)";
    if (!filters_.empty())
      members += fmt::format(R"(,"filter_subjects":["{}"])", fmt::join(filters_, "\",\""));
    w_.b.make(members);
  }

  void step() {
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2:
        return publish(1 + random_() % 4);
      case 3:
        return remove();
      case 4:
        return random_() % 4 == 0 ? purge_all() : purge();
      case 5:
        return wait_for(1 + random_() % 3);
      default:
        return pull(1 + random_() % 3);
    }
  }

  void check() {
    auto info = w_.b.info();
    CHECK(info.at("num_pending") == std::count_if(messages_.begin(), messages_.end(),
                                                  [this](auto& m) { return m.first >= next_; }));
    CHECK(info.at("num_ack_pending") == pending_.size());
  }

private:
  void publish(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      auto subject = fmt::format("s.{}", "abc"[random_() % 3]);
      w_.b.c.tell(subject, "x");
      ++last_;
      bool taken = std::find(filters_.begin(), filters_.end(), subject) != filters_.end();
      if (filters_.empty() || taken) messages_[last_] = subject;
    }
    if (waiting_ > 0 || random_() % 2 == 0) w_.world.settle();
    serve();
  }

  /// A request that waits for what it does not get at once.
  void wait_for(size_t count) {
    w_.b.next(std::to_string(count));
    waiting_ += count;
    serve();
  }

  void serve() {
    if (waiting_ == 0) return;
    std::string expected;
    for (auto at = messages_.lower_bound(next_); at != messages_.end() && waiting_ > 0; ++at) {
      expected += fmt::format("{} ", at->first);
      deliver(at->first);
      --waiting_;
    }
    auto words = w_.b.heard();
    CHECK((words.empty() ? words : words + ' ') == expected);
  }

  void deliver(uint64_t seq) {
    pending_.insert(seq);
    next_ = seq + 1;
  }

  void purge_all() {
    w_.b.api("STREAM.PURGE.S");
    messages_.clear();
    pending_.clear();
  }

  void remove() {
    if (last_ == 0) return;
    auto seq = 1 + random_() % last_;
    w_.b.api("STREAM.MSG.DELETE.S", fmt::format(R"({{"seq":{}}})", seq));
    gone(seq);
  }

  void gone(uint64_t seq) {
    messages_.erase(seq);
    pending_.erase(seq);
  }

  void purge() {
    auto subject = fmt::format("s.{}", "abc"[random_() % 3]);
    auto up_to = random_() % (last_ + 2) + 1;
    w_.b.api("STREAM.PURGE.S", fmt::format(R"({{"filter":"{}","seq":{}}})", subject, up_to));
    auto all = messages_;
    for (const auto& [seq, s] : all)
      if (s == subject && seq < up_to) gone(seq);
  }

  void pull(size_t count) {
    if (waiting_ > 0) return;
    auto words = w_.b.pulls(fmt::format(R"({{"batch":{},"no_wait":true}})", count));
    std::string expected;
    for (auto at = messages_.lower_bound(next_); at != messages_.end() && count > 0;
         ++at, --count) {
      expected += fmt::format("{} ", at->first);
      deliver(at->first);
    }
    if (count > 0) expected += "<404 No Messages> ";
    CHECK(words + ' ' == expected);
    if (!pending_.empty() && random_() % 2 == 0) {
      w_.b.answer(*pending_.begin());
      pending_.erase(pending_.begin());
    }
  }

  std::mt19937 random_;
  stream_world w_;
  std::vector<std::string> filters_;          ///< none: everything
  std::map<uint64_t, std::string> messages_;  ///< that it takes
  std::set<uint64_t> pending_;
  uint64_t last_ = 0;
  uint64_t next_ = 1;
  size_t waiting_ = 0;
};

}  // namespace

TEST_CASE("consumer: what is told to be to come is exact, whatever happens to the stream") {
  const auto* kind = storage();
  auto seed = GENERATE(range(1u, 6u));
  INFO("seed " << seed);
  std::vector<std::string> filters;
  if (seed % 2 == 0) filters = {"s.a", "s.b"};
  pending_model m{kind, seed, filters};
  for (int i = 0; i < 60; ++i) {
    INFO("step " << i);
    m.step();
    m.check();
  }
}

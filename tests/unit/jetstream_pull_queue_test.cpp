#include "actors/jetstream/consumer_check.hpp"
#include "actors/jetstream/consumer_ledger.hpp"
#include "actors/jetstream/pull_queue.hpp"
#include "actors/jetstream/pull_status.hpp"
#include "actors/jetstream/requests.hpp"
#include "recorded_answers.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <set>
#include <string>

using namespace vagus;

namespace {

constexpr int64_t ms = 1'000'000;

consumer_config config_of(const std::string& json) {
  consumer_config config;
  config.durable_name = "c";
  config.ack_policy = ack_policy::explicit_acks;
  REQUIRE(!read_json(json, true, config));
  stream_config stream;
  stream.num_replicas = 1;
  REQUIRE(!check_consumer_config(config, stream, {}, false));
  return config;
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts(1);
  for (char c : text) c == by ? parts.emplace_back() : (parts.back() += c, parts.back());
  return parts;
}

/// A pull consumer without actors: a queue, a ledger, and messages that are only sizes. It plays
/// what was recorded of nats-server: a step for each line there.
class pull_play {
public:
  explicit pull_play(const consumer_config& config)
      : ledger_{rules_of(config, true)},
        queue_{config,
               {[this](std::string_view to) { return !lost_.contains(std::string{to}); },
                [this] { return fmt::format("pin{}", ++pins_made_); }}} {}

  void step(const std::string& text) {
    auto first = text.find(' ');
    auto word = text.substr(0, first);
    auto rest = first == std::string::npos ? "" : text.substr(first + 1);
    if (word == "next") {
      next(rest);
    } else if (word == "pub") {
      auto numbers = split(rest, ' ');
      auto size = numbers.size() > 1 ? std::stoll(numbers[1]) : 0;
      for (auto count = std::stoll(numbers[0]); count > 0; --count) {
        sizes_.push_back(size);
        deliver();
      }
    } else if (word == "ack") {
      std::vector<uint64_t> done;
      ledger_.ack({std::stoull(rest), 0, 1}, now_, done);
      deliver();
    } else if (word == "lose") {
      lost_.insert("r." + rest);
    } else if (word == "delete") {
      pull_effects effects;
      queue_.end_deleted(effects);
      say(effects);
    }
    pass(word == "wait" ? std::stoll(rest) * ms : 30 * ms);
  }

  std::string heard() const { return fmt::format("{}", fmt::join(heard_, "; ")); }

private:
  pull_standing standing() const {
    auto behind = ledger_.next_seq() - 1;
    return {now_,
            sizes_.size() - behind,
            ledger_.num_queued(),
            ledger_.num_ack_pending(),
            ledger_.delivered().consumer,
            behind};
  }

  void next(const std::string& rest) {
    auto space = rest.find(' ');
    auto body = space == std::string::npos ? "" : rest.substr(space + 1);
    if (auto at = body.find("PIN"); at != std::string::npos) body.replace(at, 3, last_pin_);
    pull_effects effects;
    queue_.add("r." + rest.substr(0, space), body, standing(), effects);
    say(effects);
    deliver();
  }

  /// All that can go out goes out; then what does not wait ends.
  void deliver() {
    bool stalled = false;
    while (!queue_.empty()) {
      std::vector<exhausted_message> exhausted;
      auto again = ledger_.next_redelivery(exhausted);
      stalled = !again && !ledger_.may_deliver_new();
      if (stalled || (!again && ledger_.next_seq() > sizes_.size())) break;
      if (!deliver_one(again)) break;
    }
    pull_effects effects;
    queue_.tend(!stalled, standing(), effects);
    say(effects);
  }

  bool deliver_one(std::optional<uint64_t> again) {
    auto seq = again.value_or(ledger_.next_seq());
    auto count = again ? ledger_.state().pending.find(*again)->deliveries + 1 : 1;
    auto s = standing();
    auto reply = fmt::format("$JS.ACK.S.c.{}.{}.{}.1700000000000000000.{}", count, seq,
                             s.last_consumer_seq + 1, s.num_pending - (again ? 0 : 1));
    if (again) ++s.num_pending;  // with the one at hand
    pull_effects effects;
    auto size = sizes_[seq - 1] + static_cast<int64_t>(reply.size() + 3);
    picked_request picked;
    bool given = queue_.pick(size, s, effects, picked);
    say(effects);
    if (!given) return false;
    again ? ledger_.redeliver(seq, now_) : ledger_.deliver(seq, now_);
    auto text = fmt::format("{} #{}.{}", picked.to.substr(2), seq, count);
    if (!picked.pin.empty())
      text += last_pin_.empty() || last_pin_ == picked.pin ? " pin" : " new pin";
    last_pin_ = picked.pin;
    heard_.push_back(text);
    if (!picked.after.headers.empty()) say({{picked.after}, {}});
    return true;
  }

  void pass(int64_t ns) {
    auto end = now_ + ns;
    while (true) {
      auto next = std::min(queue_.next_time().value_or(INT64_MAX),
                           ledger_.next_deadline().value_or(INT64_MAX));
      if (next > end) break;
      now_ = std::max(now_, next);
      std::vector<exhausted_message> exhausted;
      ledger_.expire(now_, exhausted);
      pull_effects effects;
      queue_.tend(true, standing(), effects);
      say(effects);
      deliver();
    }
    now_ = end;
  }

  void say(const pull_effects& effects) {
    for (const auto& [to, headers] : effects.statuses) {
      auto text = headers.substr(9, headers.size() - 13);
      for (size_t at = 0; (at = text.find("\r\n")) != std::string::npos;) text.replace(at, 2, "|");
      heard_.push_back(to.substr(2) + ' ' + text);
    }
  }

  int64_t now_ = 1'700'000'000'000 * ms;
  std::vector<int64_t> sizes_;
  std::set<std::string> lost_;
  int pins_made_ = 0;
  std::string last_pin_;
  std::vector<std::string> heard_;
  consumer_ledger ledger_;
  pull_queue queue_;
};

/// A queue that everybody listens to.
struct heard_queue {
  explicit heard_queue(const std::string& config) : queue{config_of(config), {hears, pin}} {}

  static bool hears(std::string_view) { return true; }
  static std::string pin() { return "P"; }

  void add(std::string_view to, std::string_view body) { queue.add(to, body, standing, effects); }
  std::string pick() {
    picked_request picked;
    return queue.pick(10, standing, effects, picked) ? picked.to : "";
  }

  pull_queue queue;
  pull_standing standing = {1000, 100, 0, 0, 0, 0};
  pull_effects effects = {};
};

}  // namespace

TEST_CASE("jetstream pull queue: requests are served and ended as by the peer") {
  auto recorded = read_recorded_answers("jetstream/pull_requests.txt");
  REQUIRE(recorded.size() > 40);
  for (const auto& r : recorded) {
    CAPTURE(r.first);
    auto bar = r.first.find('|');
    pull_play play{config_of(r.first.substr(0, bar))};
    for (const auto& step : split(r.first.substr(bar + 1), ';')) play.step(step);
    CHECK(play.heard() == r.answer);
  }
}

TEST_CASE("jetstream pull queue: the headers of a status") {
  CHECK(status_headers("404 No Messages") == "NATS/1.0 404 No Messages\r\n\r\n");
  CHECK(status_headers("408 Request Timeout", 3, 916) ==
        "NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 3\r\n"
        "Nats-Pending-Bytes: 916\r\n\r\n");
  CHECK(heartbeat_headers(2, 5) ==
        "NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 2\r\nNats-Last-Stream: 5\r\n\r\n");
  CHECK(heartbeat_headers(2, 5, "$JS.FC.S.c.x")
            .ends_with("Nats-Last-Stream: 5\r\nNats-Consumer-Stalled: $JS.FC.S.c.x\r\n\r\n"));
}

TEST_CASE("jetstream pull queue: the end of all requests") {
  heard_queue q{"{}"};
  q.add("a", R"({"batch":5,"max_bytes":70})");
  q.add("b", "2");
  SECTION("when the server shuts down they learn what they still asked for") {
    q.queue.end_shutdown(q.effects);
    CHECK(q.effects.statuses ==
          std::vector<status_message>{{"a", status_headers("409 Server Shutdown", 5, 70)},
                                      {"b", status_headers("409 Server Shutdown", 2, 0)}});
  }
  SECTION("when the consumer is deleted they do not") {
    q.queue.end_deleted(q.effects);
    CHECK(q.effects.statuses.size() == 2);
    CHECK(q.effects.statuses[1] == status_message{"b", status_headers("409 Consumer Deleted")});
  }
  CHECK(q.queue.empty());
  CHECK(!q.queue.next_time());
}

TEST_CASE("jetstream pull queue: a pin comes, stays while its client asks, and goes") {
  heard_queue q{
      R"({"priority_policy":"pinned_client","priority_groups":["g"],"priority_timeout":1000})"};
  q.add("a", R"({"group":"g"})");
  CHECK(q.pick() == "a");
  CHECK(q.effects.pins == std::vector<pin_event>{{"g", "P", ""}});
  CHECK(q.queue.pinned_id() == "P");
  CHECK(q.queue.pinned_ns() == 1000);
  CHECK(q.queue.next_time() == 2000);
  q.standing.now_ns = 1500;
  q.add("a", R"({"group":"g","id":"P"})");
  CHECK(q.queue.next_time() == 2500);
  q.effects = {};
  SECTION("by time") {
    q.standing.now_ns = 2500;
    q.queue.tend(false, q.standing, q.effects);
    CHECK(q.effects.pins == std::vector<pin_event>{{"g", "", "timeout"}});
  }
  SECTION("by request") {
    q.queue.unpin("g", q.effects);
    CHECK(q.effects.pins == std::vector<pin_event>{{"g", "", "admin"}});
  }
  SECTION("with the policy") {
    q.queue.configure(config_of("{}"));
  }
  CHECK(q.queue.pinned_id().empty());
}

TEST_CASE("jetstream pull queue: who is too small for the message is not pinned by it") {
  heard_queue q{R"({"priority_policy":"pinned_client","priority_groups":["g"]})"};
  q.add("a", R"({"group":"g","max_bytes":5})");
  CHECK(q.pick().empty());
  CHECK(q.effects.pins.empty());
  CHECK(q.queue.pinned_id().empty());
}

TEST_CASE("jetstream pull queue: when a consumer was used last") {
  heard_queue q{R"({"max_waiting":1})"};
  CHECK(q.queue.last_active_ns() == 0);
  q.add("a", "");
  CHECK(q.queue.last_active_ns() == 1000);
  q.standing.now_ns = 2000;
  q.add("b", "");
  CHECK(q.queue.last_active_ns() == 1000);
  q.standing.num_pending = 0;
  q.add("c", R"({"no_wait":true})");
  CHECK(q.queue.last_active_ns() == 2000);
}

TEST_CASE("jetstream pull queue: times and batches at the end of their range") {
  heard_queue q{"{}"};
  q.add("a", R"({"batch":9223372036854775807,"expires":9223372036854775807})");
  q.add("b", R"({"batch":9223372036854775807})");
  CHECK(!q.queue.next_time());
  q.add("c", R"({"no_wait":true,"batch":1})");
  CHECK(q.effects.statuses ==
        std::vector<status_message>{{"c", status_headers("408 Requests Pending")}});
  CHECK(q.pick() == "a");
}

#include "actors/authenticator.hpp"
#include "actors/connection/subscription_table.hpp"
#include "net/auth.hpp"
#include "net/options/compare.hpp"
#include "net/timers.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace vagus;
using namespace std::chrono_literals;

// ---- timers ----

namespace {

using moment = timed::time_point;
moment at(int seconds) {
  return moment{} + std::chrono::seconds{seconds};
}

/// Notes when it was woken, and may do something then.
struct sleeper final : timed {
  void on_time(moment now) override {
    woken.push_back(now);
    if (then) then();
  }
  std::vector<moment> woken;
  std::function<void()> then;
};

}  // namespace

TEST_CASE("timers: what is due is woken once, in the order of time") {
  timers queue;
  sleeper early, late, later;
  std::string order;
  early.then = [&] { order += 'e'; };
  late.then = [&] { order += 'l'; };
  queue.schedule(later, at(9));
  queue.schedule(late, at(2));
  queue.schedule(early, at(1));
  queue.fire(at(2));
  queue.fire(at(3));
  CHECK(order == "el");
  CHECK(later.woken.empty());
}

TEST_CASE("timers: scheduling again replaces the earlier time") {
  timers queue;
  sleeper s;
  queue.schedule(s, at(1));
  queue.schedule(s, at(5));
  queue.fire(at(4));
  CHECK(s.woken.empty());
  queue.fire(at(5));
  CHECK(s.woken == std::vector{at(5)});
  CHECK(queue.empty());
}

TEST_CASE("timers: what is woken may schedule itself, cancel others, and destroy others") {
  timers queue;
  sleeper repeating, canceled;
  auto destroyed = std::make_unique<sleeper>();
  repeating.then = [&] {
    queue.schedule(repeating, at(5 + 5 * static_cast<int>(repeating.woken.size())));
    queue.cancel(canceled);
    destroyed = nullptr;
  };
  queue.schedule(repeating, at(1));
  queue.schedule(canceled, at(1));
  queue.schedule(*destroyed, at(2));
  queue.fire(at(3));
  CHECK(canceled.woken.empty());
  queue.fire(at(10));
  CHECK(repeating.woken.size() == 2);
}

TEST_CASE("timers: whoever looks at them is told of what is due earlier than that") {
  timers queue;
  std::vector<moment> told;
  sleeper a, b;
  queue.expect(at(100), [&](moment when) { told.push_back(when); });
  queue.schedule(a, at(150));
  CHECK(told.empty());
  queue.schedule(b, at(40));
  CHECK(told == std::vector{at(40)});
  CHECK(queue.first() == at(40));
  queue.cancel(b);
  CHECK(queue.first() == at(150));
  queue.cancel(a);
  CHECK(queue.first() == moment::max());
}

TEST_CASE("timers: canceling what is not scheduled does nothing") {
  timers queue;
  sleeper s;
  queue.cancel(s);
  CHECK(queue.empty());
}

// ---- subscription_table ----

TEST_CASE("subscription_table: a subscription is found by its sid and by slot and generation") {
  subscription_table table;
  auto slot = table.add("foo", "q", "1");
  CHECK(table.find("1") == slot);
  CHECK(table.find("2") == subscription_table::none);
  auto generation = table[slot].generation;
  REQUIRE(table.at(slot, generation) != nullptr);
  CHECK(table.at(slot, generation)->subject() == "foo");
  CHECK(table.at(slot, generation)->queue() == "q");
  CHECK(table.at(slot, generation)->sid() == "1");
  CHECK(table.at(slot + 1, generation) == nullptr);
}

TEST_CASE("subscription_table: who leaves frees the sid, but still takes what is on its way") {
  subscription_table table;
  auto slot = table.add("foo", "", "1");
  auto generation = table[slot].generation;
  table.leave(slot);
  CHECK(table.find("1") == subscription_table::none);
  CHECK(table.size() == 0);
  CHECK(table.at(slot, generation) != nullptr);
  auto again = table.add("bar", "", "1");
  CHECK(again != slot);
  table.release(slot);
  CHECK(table.at(slot, generation) == nullptr);
  CHECK(table.find("1") == again);
}

TEST_CASE("subscription_table: a slot that is used again is another generation") {
  subscription_table table;
  auto slot = table.add("foo", "", "1");
  auto before = table[slot].generation;
  table[slot].delivered = table[slot].max = 5;
  table.leave(slot);
  table.release(slot);
  REQUIRE(table.add("bar", "", "2") == slot);
  CHECK(table.at(slot, before) == nullptr);
  CHECK(table[slot].delivered == 0);
  CHECK(table[slot].max == 0);
  CHECK_FALSE(table[slot].leaving);
}

TEST_CASE("subscription_table: those that are leaving are not visited") {
  subscription_table table;
  for (int i = 0; i < 100; ++i) table.add("s" + std::to_string(i), "", std::to_string(i));
  for (int i = 0; i < 100; i += 2) table.leave(table.find(std::to_string(i)));
  size_t visited = 0;
  table.for_each([&](uint32_t slot, subscription& s) {
    CHECK(table.find(s.sid()) == slot);
    ++visited;
  });
  CHECK(visited == 50);
  CHECK(table.size() == 50);
}

// ---- auth ----

namespace {

/// "U*U" at cost 5, a test vector of many bcrypt implementations.
const std::string hashed = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

}  // namespace

TEST_CASE("auth: plain secrets must be equal") {
  CHECK(check_secret("secret", "secret"));
  CHECK_FALSE(check_secret("secret", "Secret"));
  CHECK_FALSE(check_secret("secret", "secret1"));
  CHECK_FALSE(check_secret("secret", ""));
}

TEST_CASE("auth: bcrypt hashes are told from plain text") {
  CHECK(is_bcrypt(hashed));
  CHECK(is_bcrypt("$2b$10$xyz"));
  CHECK_FALSE(is_bcrypt("$2z$10$xyz"));
  CHECK_FALSE(is_bcrypt("$2a$1$xyz"));
  CHECK_FALSE(is_bcrypt("$2a$10$"));
  CHECK_FALSE(is_bcrypt("secret"));
}

TEST_CASE("auth: a bcrypt hash is matched by its password alone") {
  CHECK(check_secret(hashed, "U*U"));
  CHECK_FALSE(check_secret(hashed, "U*V"));
  CHECK_FALSE(check_secret(hashed, hashed));
  CHECK_FALSE(check_secret("$2a$05$not-a-hash", "U*U"));
  CHECK_FALSE(check_secret("$2a$05$not-a-hash", "*0"));
}

TEST_CASE("auth: a password does not end at a NUL") {
  CHECK_FALSE(check_secret(hashed, std::string{"U*U\0more", 8}));
}

TEST_CASE("auth: a token is asked for in place of a user, a user with a password") {
  options opts;
  CHECK_FALSE(needs_credentials(opts));
  opts.username = "a";
  opts.password = "b";
  CHECK(needs_credentials(opts));
  CHECK(credentials_match(opts, {"a", "b", ""}));
  CHECK_FALSE(credentials_match(opts, {"a", "", ""}));
  CHECK_FALSE(credentials_match(opts, {"", "b", ""}));
  options with_token;
  with_token.token = "t";
  CHECK(credentials_match(with_token, {"", "", "t"}));
  CHECK_FALSE(credentials_match(with_token, {"t", "t", ""}));
}

// ---- compare_options ----

TEST_CASE("compare_options: equal options have no changes") {
  CHECK(compare_options({}, {}).empty());
}

TEST_CASE("compare_options: a change has a name and both values") {
  options before, after;
  after.max_payload = 5;
  after.ping_interval = 90s;
  after.server_tags = {"a", "b"};
  auto changes = compare_options(before, after);
  REQUIRE(changes.size() == 3);
  for (const auto& c : changes) CHECK(c.reloadable);
  CHECK(changes[0].name == "server_tags");
  CHECK(changes[1].name == "max_payload");
  CHECK(changes[1].before == "1048576");
  CHECK(changes[1].after == "5");
  CHECK(changes[2].after == "90s");
}

TEST_CASE("compare_options: secrets are not shown") {
  options before, after;
  before.password = "old-secret";
  after.password = "new-secret";
  after.token = "new-token";
  for (const auto& c : compare_options(before, after)) {
    CHECK(c.before == "[REDACTED]");
    CHECK(c.after == "[REDACTED]");
  }
}

TEST_CASE("compare_options: listeners and identity take a restart") {
  options after;
  after.port = 1;
  after.server_name = "x";
  after.event_loops = 3;
  after.idle_poll = {};
  after.no_header_support = true;
  auto changes = compare_options({}, after);
  CHECK(changes.size() == 5);
  for (const auto& c : changes) CHECK_FALSE(c.reloadable);
}

#include "tests/clients/c/fixture.hpp"

#include <set>
#include <thread>

using namespace vagus::clients;

namespace {

std::optional<std::string> echo(natsMsg* m) {
  return std::string(natsMsg_GetData(m), static_cast<size_t>(natsMsg_GetDataLength(m)));
}

}  // namespace

TEST_CASE_METHOD(two_clients, "request: the reply comes back to who asked") {
  handler service(alice, "echo", echo);
  CHECK(payload_of(bob.request("echo", "hello")) == "hello");
  CHECK(payload_of(bob.request("echo", "")) == "");
}

TEST_CASE_METHOD(two_clients, "request: without a responder it fails at once") {
  CHECK(bob.try_request("nobody", patience_ms) == NATS_NO_RESPONDERS);
  auto listener = alice.subscribe("nobody");
  alice.flush();
  CHECK(bob.try_request("nobody", 50) == NATS_TIMEOUT);
}

TEST_CASE_METHOD(two_clients, "request: a wildcard or queue subscription is a responder") {
  handler wide(alice, "wide.>", echo);
  handler queued(alice, "queued", echo, "group");
  CHECK(payload_of(bob.request("wide.a.b", "w")) == "w");
  CHECK(payload_of(bob.request("queued", "q")) == "q");
}

TEST_CASE("request: with no responders turned off it waits") {
  server_process server;
  auto with = make_options(server.url());
  must(natsOptions_DisableNoResponders(with.get(), true));
  client patient(std::move(with));
  CHECK(patient.try_request("nobody", 50) == NATS_TIMEOUT);
}

TEST_CASE("request: the old style, with a subscription for each request, works") {
  server_process server;
  client responder(server.url());
  handler service(responder, "echo", echo);
  auto with = make_options(server.url());
  must(natsOptions_UseOldRequestStyle(with.get(), true));
  client old(std::move(with));
  for (int i = 0; i < 200; ++i)
    REQUIRE(payload_of(old.request("echo", numbered(i))) == numbered(i));
  CHECK(old.try_request("nobody", patience_ms) == NATS_NO_RESPONDERS);
}

TEST_CASE("request: a custom inbox prefix is kept") {
  server_process server;
  auto with = make_options(server.url());
  must(natsOptions_SetCustomInboxPrefix(with.get(), "mine.inbox"));
  client asker(std::move(with));
  client responder(server.url());
  handler service(responder, "who", [](natsMsg* m) { return natsMsg_GetReply(m); });
  CHECK(payload_of(asker.request("who", "")).rfind("mine.inbox.", 0) == 0);
}

TEST_CASE_METHOD(two_clients, "request: many at once from many threads each get their own reply") {
  handler service(alice, "echo", echo);
  std::atomic<int> right{0};
  std::vector<std::thread> askers;
  for (int t = 0; t < 8; ++t) {
    askers.emplace_back([&, t] {
      for (int i = 0; i < 250; ++i) {
        auto text = numbered(t) + "/" + numbered(i);
        right += payload_of(bob.request("echo", text)) == text;
      }
    });
  }
  for (auto& asker : askers) asker.join();
  CHECK(right == 2000);
}

TEST_CASE_METHOD(two_clients, "request: every responder answers an inbox that listens for all") {
  handler one(alice, "all", [](natsMsg*) { return "one"; });
  handler two(alice, "all", [](natsMsg*) { return "two"; });
  auto inbox = bob.subscribe("inbox.bob");
  must(natsConnection_PublishRequestString(bob.raw(), "all", "inbox.bob", "?"));
  auto replies = inbox.next_payloads(2);
  CHECK(std::set<std::string>(replies.begin(), replies.end()) ==
        std::set<std::string>{"one", "two"});
}

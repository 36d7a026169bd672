#include "tests/clients/c/fixture.hpp"

using namespace vagus::clients;

namespace {

/// Stops the server, waits until each client has noticed, and starts it again on its port.
void restart(server_process& server, std::initializer_list<const client*> clients) {
  CHECK(server.stop() == 0);
  for (auto* c : clients) REQUIRE(eventually([&] { return c->seen().disconnected > 0; }));
  server.start();
  for (auto* c : clients) REQUIRE(eventually([&] { return c->seen().reconnected > 0; }));
}

}  // namespace

TEST_CASE_METHOD(two_clients, "reconnect: subscriptions of every kind are restored") {
  auto plain = alice.subscribe("plain");
  auto wild = alice.subscribe("wild.*.>");
  auto queued = alice.subscribe("queued", "group");
  auto dropped = alice.subscribe("plain");
  must(natsSubscription_Unsubscribe(dropped.raw()));
  alice.flush();
  restart(server, {&alice, &bob});
  alice.flush();
  for (auto subject : {"plain", "wild.a.b", "queued"}) bob.publish(subject, subject);
  CHECK(plain.next_payload() == "plain");
  CHECK(wild.next_payload() == "wild.a.b");
  CHECK(queued.next_payload() == "queued");
}

TEST_CASE_METHOD(two_clients, "reconnect: the rest of an automatic unsubscribe is kept") {
  auto end = alice.subscribe("end");
  auto limited = alice.subscribe("limited");
  must(natsSubscription_AutoUnsubscribe(limited.raw(), 4));
  alice.flush();
  bob.publish("limited", "0");
  bob.publish("limited", "1");
  CHECK(limited.next_payloads(2) == strings{"0", "1"});
  restart(server, {&alice, &bob});
  alice.flush();
  auto before = alice.received();
  for (int i = 2; i < 9; ++i) bob.publish("limited", numbered(i));
  bob.publish("end", "");
  CHECK(limited.next_payloads(2) == strings{"2", "3"});
  CHECK(end.next_payload().empty());
  CHECK(alice.received() == before + 3);
}

TEST_CASE_METHOD(two_clients, "reconnect: what was published meanwhile is sent afterwards") {
  auto sub = bob.subscribe("later");
  bob.flush();
  CHECK(server.stop() == 0);
  REQUIRE(eventually([&] { return natsConnection_IsReconnecting(bob.raw()); }));
  for (int i = 0; i < 100; ++i) bob.publish("later", numbered(i));
  server.start();
  auto got = sub.next_payloads(100);
  CHECK(got.front() == "0");
  CHECK(got.back() == "99");
}

TEST_CASE_METHOD(two_clients, "reconnect: requests work again") {
  handler service(alice, "service", [](natsMsg*) { return "here"; });
  CHECK(payload_of(bob.request("service", "")) == "here");
  for (int round = 1; round <= 3; ++round) {
    CHECK(server.stop() == 0);
    for (auto* c : {&alice, &bob}) {
      REQUIRE(eventually([&] { return c->seen().disconnected == round; }));
    }
    server.start();
    for (auto* c : {&alice, &bob}) {
      REQUIRE(eventually([&] { return c->seen().reconnected == round; }));
    }
    alice.flush();
    CHECK(payload_of(bob.request("service", "")) == "here");
  }
}

TEST_CASE("reconnect: credentials are given again") {
  server_process server({"--user", "u", "--pass", "p"});
  client c(server.url("u:p"));
  auto sub = c.subscribe("x");
  c.flush();
  restart(server, {&c});
  c.publish("x", "back");
  CHECK(sub.next_payload() == "back");
}

TEST_CASE("reconnect: a client that must not reconnect is closed when the server goes") {
  server_process server;
  auto with = make_options(server.url());
  must(natsOptions_SetAllowReconnect(with.get(), false));
  client once(std::move(with));
  CHECK(server.stop() == 0);
  CHECK(eventually([&] { return once.seen().closed == 1; }));
  CHECK(once.is_closed());
}

TEST_CASE("reconnect: a client may be there before the server") {
  server_process server;
  CHECK(server.stop() == 0);
  auto with = make_options(server.url());
  auto nothing = [](natsConnection*, void*) {};
  must(natsOptions_SetRetryOnFailedConnect(with.get(), true, nothing, nullptr));
  natsConnection* raw = nullptr;
  CHECK(natsConnection_Connect(&raw, with.get()) == NATS_NOT_YET_CONNECTED);
  server.start();
  CHECK(eventually([&] { return natsConnection_Status(raw) == NATS_CONN_STATUS_CONNECTED; }));
  natsConnection_Destroy(raw);
}

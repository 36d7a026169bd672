#include "tests/clients/c/fixture.hpp"

using namespace vagus::clients;

TEST_CASE_METHOD(two_clients, "publish: a message reaches every subscription on its subject") {
  auto first = alice.subscribe("news");
  auto second = alice.subscribe("news");
  auto other = alice.subscribe("weather");
  alice.flush();
  bob.publish("news", "one");
  bob.publish("weather", "sun");
  CHECK(first.next_payload() == "one");
  CHECK(second.next_payload() == "one");
  CHECK(other.next_payload() == "sun");
  CHECK(first.queued() + second.queued() + other.queued() == 0);
}

TEST_CASE_METHOD(two_clients, "publish: a star stands for exactly one token") {
  auto sub = alice.subscribe("a.*.c");
  alice.flush();
  for (auto subject : {"a.c", "a.b.b.c", "a.b.d", "a.b.c.d", "x.b.c", "a.b.c"}) {
    bob.publish(subject, subject);
  }
  CHECK(sub.next_payload() == "a.b.c");
}

TEST_CASE_METHOD(two_clients, "publish: a greater-than sign stands for one token or more") {
  auto sub = alice.subscribe("a.b.>");
  alice.flush();
  for (auto subject : {"a", "a.b", "a.c.b", "a.b.c", "a.b.c.d"}) bob.publish(subject, subject);
  CHECK(sub.next_payloads(2) == strings{"a.b.c", "a.b.c.d"});
}

TEST_CASE_METHOD(two_clients, "publish: wildcards combine, and a message tells its own subject") {
  auto mixed = alice.subscribe("*.b.*.>");
  auto everything = alice.subscribe(">");
  alice.flush();
  bob.publish("a.b.c", "");
  bob.publish("a.b.c.d.e", "");
  CHECK(subject_of(mixed.next()) == "a.b.c.d.e");
  CHECK(subject_of(everything.next()) == "a.b.c");
  CHECK(subject_of(everything.next()) == "a.b.c.d.e");
}

TEST_CASE_METHOD(two_clients, "publish: subjects differ by case and by every character") {
  auto sub = alice.subscribe("Orders.eu-west_1.~x/y=z");
  alice.flush();
  bob.publish("orders.eu-west_1.~x/y=z", "lower");
  bob.publish("Orders.eu-west_1.~x/y=", "short");
  bob.publish("Orders.eu-west_1.~x/y=z", "same");
  CHECK(sub.next_payload() == "same");
}

TEST_CASE_METHOD(two_clients, "publish: messages of one publisher keep their order") {
  auto sub = alice.subscribe("order.*");
  alice.flush();
  constexpr int count = 50'000;
  for (int i = 0; i < count; ++i) bob.publish("order." + numbered(i % 7), numbered(i));
  bool in_order = true;
  for (int i = 0; i < count; ++i) in_order &= sub.next_payload() == numbered(i);
  CHECK(in_order);
}

TEST_CASE_METHOD(two_clients, "publish: any byte may be in a payload, and there may be none") {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  strings payloads = {"", bytes, "\r\n", "PUB x 1\r\ny\r\n", std::string(3, '\0'), "\r\n.\r\n"};
  auto sub = alice.subscribe("bytes");
  alice.flush();
  for (const auto& payload : payloads) bob.publish("bytes", payload);
  CHECK(sub.next_payloads(static_cast<int>(payloads.size())) == payloads);
}

TEST_CASE_METHOD(two_clients, "publish: a connection hears itself") {
  auto sub = alice.subscribe("echo");
  alice.publish("echo", "me");
  CHECK(sub.next_payload() == "me");
}

TEST_CASE("publish: a connection with no echo hears the others only") {
  server_process server;
  auto with = make_options(server.url());
  must(natsOptions_SetNoEcho(with.get(), true));
  client quiet(std::move(with));
  client other(server.url());
  auto sub = quiet.subscribe("echo");
  quiet.publish("echo", "me");
  quiet.flush();
  other.publish("echo", "you");
  CHECK(sub.next_payload() == "you");
}

TEST_CASE("publish: a verbose and pedantic connection works as any other") {
  server_process server;
  auto with = make_options(server.url());
  must(natsOptions_SetVerbose(with.get(), true));
  must(natsOptions_SetPedantic(with.get(), true));
  client strict(std::move(with));
  auto sub = strict.subscribe("ok");
  for (int i = 0; i < 1000; ++i) strict.publish("ok", numbered(i));
  strict.flush();
  CHECK(sub.queued() == 1000);
  CHECK(strict.seen().errors == 0);
}

TEST_CASE_METHOD(two_clients, "subscribe: nothing is delivered after an unsubscribe") {
  auto gone = alice.subscribe("gone");
  auto stays = alice.subscribe("gone");
  must(natsSubscription_Unsubscribe(gone.raw()));
  alice.flush();
  bob.publish("gone", "x");
  bob.flush();
  CHECK(stays.next_payload() == "x");
  CHECK(alice.received() == 1);
}

TEST_CASE_METHOD(two_clients, "subscribe: an automatic unsubscribe comes after its count") {
  auto limited = alice.subscribe("limited");
  must(natsSubscription_AutoUnsubscribe(limited.raw(), 5));
  alice.flush();
  for (int i = 0; i < 20; ++i) bob.publish("limited", numbered(i));
  CHECK(limited.next_payloads(5) == strings{"0", "1", "2", "3", "4"});
  natsMsg* none = nullptr;
  CHECK(natsSubscription_NextMsg(&none, limited.raw(), patience_ms) == NATS_MAX_DELIVERED_MSGS);
  CHECK_FALSE(natsSubscription_IsValid(limited.raw()));
}

TEST_CASE_METHOD(two_clients, "subscribe: an automatic unsubscribe counts what came before it") {
  auto end = alice.subscribe("end");
  auto limited = alice.subscribe("limited");
  alice.flush();
  bob.publish("limited", "0");
  bob.publish("limited", "1");
  CHECK(limited.next_payloads(2) == strings{"0", "1"});
  must(natsSubscription_AutoUnsubscribe(limited.raw(), 3));
  alice.flush();
  for (int i = 2; i < 9; ++i) bob.publish("limited", numbered(i));
  bob.publish("end", "");
  CHECK(limited.next_payload() == "2");
  CHECK(end.next_payload().empty());
  CHECK(alice.received() == 4);
}

TEST_CASE_METHOD(two_clients, "subscribe: five thousand subscriptions each get their message") {
  std::vector<subscription> subs;
  for (int i = 0; i < 5000; ++i) subs.push_back(alice.subscribe("many." + numbered(i)));
  alice.flush();
  for (int i = 0; i < 5000; ++i) bob.publish("many." + numbered(i), numbered(i));
  bool each = true;
  for (int i = 0; i < 5000; ++i) each &= subs[i].next_payload() == numbered(i);
  CHECK(each);
}

TEST_CASE_METHOD(two_clients, "flush: what was published before it has been delivered after it") {
  auto sub = alice.subscribe("flushed");
  for (int round = 1; round <= 200; ++round) {
    alice.publish("flushed", "x");
    alice.flush();
    REQUIRE(sub.queued() == static_cast<uint64_t>(round));
  }
}

TEST_CASE_METHOD(two_clients, "connection: the server tells who the client is") {
  char id[128] = "";
  must(natsConnection_GetConnectedServerId(alice.raw(), id, sizeof id));
  CHECK(std::string(id).size() == 56);
  uint64_t first = 0, second = 0;
  must(natsConnection_GetClientID(alice.raw(), &first));
  must(natsConnection_GetClientID(bob.raw(), &second));
  CHECK(first != second);
  char* ip = nullptr;
  must(natsConnection_GetClientIP(alice.raw(), &ip));
  CHECK(std::string(ip) == "127.0.0.1");
  free(ip);
  CHECK(natsConnection_HasHeaderSupport(alice.raw()) == NATS_OK);
  int64_t rtt_ns = 0;
  CHECK(natsConnection_GetRTT(alice.raw(), &rtt_ns) == NATS_OK);
}

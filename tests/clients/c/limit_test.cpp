#include "tests/clients/c/fixture.hpp"

using namespace vagus::clients;

namespace {

constexpr int megabyte = 1 << 20;

/// Text in which a byte out of place shows.
std::string pattern(size_t size, unsigned seed) {
  std::string text(size, '\0');
  for (auto& c : text) {
    seed = seed * 1664525 + 1013904223;
    c = static_cast<char>(seed >> 24);
  }
  return text;
}

}  // namespace

TEST_CASE_METHOD(two_clients, "payload: a mebibyte is the limit, and fits") {
  CHECK(natsConnection_GetMaxPayload(alice.raw()) == megabyte);
  auto sub = alice.subscribe("big");
  alice.flush();
  auto payload = pattern(megabyte, 1);
  bob.publish("big", payload);
  CHECK(sub.next_payload() == payload);
}

TEST_CASE_METHOD(two_clients, "payload: above the limit the client is told, and goes on") {
  auto sub = alice.subscribe("big");
  alice.flush();
  std::string payload(megabyte + 1, 'x');
  CHECK(natsConnection_Publish(bob.raw(), "big", payload.data(), megabyte + 1) == NATS_MAX_PAYLOAD);
  bob.publish("big", "small");
  CHECK(sub.next_payload() == "small");
}

TEST_CASE_METHOD(two_clients, "payload: headers count towards the limit") {
  auto sub = alice.subscribe("big");
  alice.flush();
  auto m = make_message("big", std::string(megabyte, 'x'));
  must(natsMsgHeader_Set(m.get(), "A", "b"));
  CHECK(natsConnection_PublishMsg(bob.raw(), m.get()) == NATS_MAX_PAYLOAD);
}

TEST_CASE_METHOD(two_clients, "payload: every size around the buffers' edges arrives whole") {
  auto sub = alice.subscribe("size");
  alice.flush();
  for (int edge : {128, 512, 4096, 32'768, 65'536, 131'072, 524'288}) {
    for (int size = edge - 3; size <= edge + 3; ++size) {
      auto payload = pattern(static_cast<size_t>(size), static_cast<unsigned>(size));
      bob.publish("size", payload);
      REQUIRE(sub.next_payload() == payload);
    }
  }
}

TEST_CASE_METHOD(two_clients, "payload: a hundred mebibytes go through to two subscribers") {
  auto first = alice.subscribe("flood");
  auto second = alice.subscribe("flood");
  alice.flush();
  auto payload = pattern(megabyte, 7);
  bool whole = true;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 10; ++i) bob.publish("flood", payload);
    for (int i = 0; i < 10; ++i) {
      whole &= first.next_payload() == payload;
      whole &= second.next_payload() == payload;
    }
  }
  CHECK(whole);
}

TEST_CASE_METHOD(two_clients, "payload: large requests get large replies") {
  handler service(alice, "echo", [](natsMsg* m) {
    return std::string(natsMsg_GetData(m), static_cast<size_t>(natsMsg_GetDataLength(m)));
  });
  auto payload = pattern(megabyte, 3);
  for (int i = 0; i < 10; ++i) REQUIRE(payload_of(bob.request("echo", payload)) == payload);
}

TEST_CASE_METHOD(two_clients, "subject: a long one with many tokens is served") {
  std::string subject = "t";
  while (subject.size() < 2000) subject += ".token" + numbered(static_cast<int>(subject.size()));
  auto exact = alice.subscribe(subject);
  auto wild = alice.subscribe("t.>");
  alice.flush();
  bob.publish(subject, "long");
  CHECK(exact.next_payload() == "long");
  CHECK(subject_of(wild.next()) == subject);
}

TEST_CASE_METHOD(two_clients, "slow: a subscriber that does not keep up loses only its own") {
  natsSubscription* raw = nullptr;
  must(natsConnection_SubscribeSync(&raw, alice.raw(), "fast"));
  subscription slow(raw);
  must(natsSubscription_SetPendingLimits(raw, 10, -1));
  auto steady = alice.subscribe("fast");
  alice.flush();
  for (int i = 0; i < 1000; ++i) bob.publish("fast", numbered(i));
  CHECK(steady.next_payloads(1000).back() == "999");
  CHECK(eventually([&] { return alice.seen().last_error == NATS_SLOW_CONSUMER; }));
  CHECK(slow.queued() == 10);
  CHECK_FALSE(alice.is_closed());
}

TEST_CASE_METHOD(two_clients, "slow: a publisher that trickles is heard at once") {
  auto sub = alice.subscribe("trickle");
  alice.flush();
  for (int i = 0; i < 300; ++i) {
    bob.publish("trickle", numbered(i));
    bob.flush();
    REQUIRE(sub.next_payload() == numbered(i));
  }
}

TEST_CASE("slow: a reader that is much slower than its writer still gets everything") {
  server_process server;
  client reader(server.url());
  client writer(server.url());
  std::string last;
  handler work(reader, "load", [&](natsMsg* m) -> std::optional<std::string> {
    volatile unsigned busy = 0;
    for (int i = 0; i < 2000; ++i) busy = busy + 1;
    last.assign(natsMsg_GetData(m), 6);
    return std::nullopt;
  });
  std::string filler(1000, 'x');
  for (int i = 100'000; i < 150'000; ++i) writer.publish("load", numbered(i) + filler);
  CHECK(eventually([&] { return work.handled() == 50'000; }));
  CHECK(last == "149999");
  CHECK(reader.seen().disconnected == 0);
}

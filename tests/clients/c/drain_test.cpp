#include "tests/clients/c/fixture.hpp"

#include <deque>

using namespace vagus::clients;

namespace {

std::optional<std::string> take(natsMsg*) {
  return std::nullopt;
}

}  // namespace

TEST_CASE_METHOD(two_clients, "drain: a subscription handles everything that was sent to it") {
  handler worker(alice, "work", take);
  for (int i = 0; i < 10'000; ++i) bob.publish("work", numbered(i));
  bob.flush();
  must(natsSubscription_Drain(worker.raw()));
  must(natsSubscription_WaitForDrainCompletion(worker.raw(), patience_ms));
  CHECK(worker.handled() == 10'000);
  CHECK(bob.try_request("work", patience_ms) == NATS_NO_RESPONDERS);
}

TEST_CASE_METHOD(two_clients, "drain: a queue group loses nothing while members come and go") {
  constexpr int count = 20'000;
  std::deque<handler> members;
  for (int i = 0; i < 3; ++i) members.emplace_back(alice, "work", take, "group");
  for (int i = 0; i < count; ++i) {
    bob.publish("work", numbered(i));
    if (i % 1000 != 999) continue;
    bob.flush();
    members.emplace_back(alice, "work", take, "group");
    must(natsSubscription_Drain(members[static_cast<size_t>(i / 1000)].raw()));
  }
  bob.flush();
  auto handled = [&] {
    int sum = 0;
    for (const auto& member : members) sum += member.handled();
    return sum;
  };
  CHECK(eventually([&] { return handled() >= count; }));
  alice.flush();
  CHECK(handled() == count);
}

TEST_CASE("drain: a connection handles what it got, sends what it owes and closes") {
  server_process server;
  client asker(server.url());
  auto replies = asker.subscribe("replies");
  asker.flush();
  client service(server.url());
  handler work(service, "work", [](natsMsg*) { return "done"; });
  for (int i = 0; i < 2000; ++i) {
    must(natsConnection_PublishRequestString(asker.raw(), "work", "replies", ""));
  }
  asker.flush();
  must(natsConnection_DrainTimeout(service.raw(), patience_ms));
  CHECK(eventually([&] { return service.seen().closed == 1; }));
  CHECK(work.handled() == 2000);
  CHECK(replies.next_payloads(2000) == strings(2000, "done"));
  CHECK(natsConnection_PublishString(service.raw(), "x", "") == NATS_CONNECTION_CLOSED);
}

TEST_CASE("drain: what was published just before a drain arrives") {
  server_process server;
  client reader(server.url());
  auto sub = reader.subscribe("last.words");
  reader.flush();
  client writer(server.url());
  for (int i = 0; i < 5000; ++i) writer.publish("last.words", numbered(i));
  must(natsConnection_Drain(writer.raw()));
  CHECK(sub.next_payloads(5000).back() == "4999");
}

TEST_CASE("close: what was flushed before a close arrives") {
  server_process server;
  client reader(server.url());
  auto sub = reader.subscribe("last.words");
  reader.flush();
  {
    client writer(server.url());
    for (int i = 0; i < 5000; ++i) writer.publish("last.words", numbered(i));
    writer.flush();
  }
  CHECK(sub.next_payloads(5000).back() == "4999");
}

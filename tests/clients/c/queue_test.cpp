#include "tests/clients/c/fixture.hpp"

#include <deque>

using namespace vagus::clients;

namespace {

uint64_t total(const std::vector<subscription>& members) {
  uint64_t sum = 0;
  for (const auto& member : members) sum += member.queued();
  return sum;
}

}  // namespace

TEST_CASE_METHOD(two_clients, "queue: one member of a group gets each message, and all get some") {
  std::vector<subscription> workers;
  for (int i = 0; i < 3; ++i) workers.push_back(alice.subscribe("job", "workers"));
  alice.flush();
  for (int i = 0; i < 3000; ++i) bob.publish("job", numbered(i));
  bob.flush();
  CHECK(eventually([&] { return total(workers) == 3000; }));
  alice.flush();
  CHECK(total(workers) == 3000);
  for (const auto& worker : workers) CHECK(worker.queued() > 500);
}

TEST_CASE("queue: the members may be on different connections") {
  server_process server;
  client publisher(server.url());
  std::deque<client> connections;
  std::vector<subscription> workers;
  for (int i = 0; i < 4; ++i) {
    connections.emplace_back(server.url());
    workers.push_back(connections.back().subscribe("job.*", "workers"));
    connections.back().flush();
  }
  for (int i = 0; i < 4000; ++i) publisher.publish("job." + numbered(i), "");
  CHECK(eventually([&] { return total(workers) == 4000; }));
  for (const auto& worker : workers) CHECK(worker.queued() > 500);
}

TEST_CASE_METHOD(two_clients, "queue: every group and every plain subscription gets each message") {
  auto plain = alice.subscribe("job");
  auto end = alice.subscribe("end");
  auto red = alice.subscribe("job", "red");
  auto blue = alice.subscribe("job", "blue");
  auto wide = alice.subscribe("*", "red");
  alice.flush();
  for (int i = 0; i < 1000; ++i) bob.publish("job", "");
  bob.publish("end", "");
  CHECK(end.next_payload().empty());
  CHECK(plain.queued() == 1000);
  CHECK(blue.queued() == 1000);
  // One group, although its members' subjects differ; the last one is the "end".
  CHECK(eventually([&] { return red.queued() + wide.queued() == 1001; }));
}

TEST_CASE_METHOD(two_clients, "queue: those who stay get everything when a member leaves") {
  auto leaves = alice.subscribe("job", "workers");
  auto stays = alice.subscribe("job", "workers");
  must(natsSubscription_Unsubscribe(leaves.raw()));
  alice.flush();
  for (int i = 0; i < 500; ++i) bob.publish("job", "");
  bob.flush();
  CHECK(eventually([&] { return stays.queued() == 500; }));
}

TEST_CASE("queue: those who stay get everything when a member's connection ends") {
  server_process server;
  client asker(server.url());
  client steady(server.url());
  handler stays(
      steady, "job", [](natsMsg*) { return "done"; }, "workers");
  {
    client passing(server.url());
    auto leaves = passing.subscribe("job", "workers");
    passing.flush();
  }
  auto all_answered = [&] {
    for (int i = 0; i < 50; ++i) {
      if (asker.try_request("job", 200) != NATS_OK) return false;
    }
    return true;
  };
  CHECK(eventually(all_answered));
}

TEST_CASE_METHOD(two_clients, "queue: requests to a group are each answered once") {
  handler one(
      alice, "service", [](natsMsg*) { return "one"; }, "servers");
  handler two(
      alice, "service", [](natsMsg*) { return "two"; }, "servers");
  for (int i = 0; i < 500; ++i) bob.request("service", "");
  CHECK(eventually([&] { return one.handled() + two.handled() == 500; }));
  CHECK(one.handled() > 50);
  CHECK(two.handled() > 50);
}

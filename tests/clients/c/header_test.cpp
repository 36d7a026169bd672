#include "tests/clients/c/fixture.hpp"

using namespace vagus::clients;

TEST_CASE_METHOD(two_clients, "headers: names, values and payload arrive as they were sent") {
  auto sub = alice.subscribe("h");
  alice.flush();
  auto m = make_message("h", "payload");
  must(natsMsgHeader_Set(m.get(), "Trace-Id", "4711"));
  must(natsMsgHeader_Set(m.get(), "lower-case", "a value: with, punctuation; and \"quotes\""));
  bob.publish(m);
  auto got = sub.next();
  CHECK(header_of(got, "Trace-Id") == "4711");
  CHECK(header_of(got, "lower-case") == "a value: with, punctuation; and \"quotes\"");
  CHECK(payload_of(got) == "payload");
}

TEST_CASE_METHOD(two_clients, "headers: a name may have many values, in order") {
  auto sub = alice.subscribe("h");
  alice.flush();
  auto m = make_message("h", "");
  for (auto value : {"one", "two", "three"}) must(natsMsgHeader_Add(m.get(), "Step", value));
  bob.publish(m);
  auto got = sub.next();
  CHECK(headers_of(got, "Step") == strings{"one", "two", "three"});
  CHECK(payload_of(got).empty());
}

TEST_CASE_METHOD(two_clients, "headers: messages with and without them keep their order") {
  auto sub = alice.subscribe("mixed");
  alice.flush();
  for (int i = 0; i < 1000; ++i) {
    auto m = make_message("mixed", numbered(i));
    if (i % 2 == 0) must(natsMsgHeader_Set(m.get(), "N", numbered(i).c_str()));
    bob.publish(m);
  }
  bool right = true;
  for (int i = 0; i < 1000; ++i) {
    auto got = sub.next();
    right &= payload_of(got) == numbered(i);
    right &= header_of(got, "N") == (i % 2 == 0 ? numbered(i) : "(none)");
  }
  CHECK(right);
}

TEST_CASE_METHOD(two_clients, "headers: they go both ways with a request") {
  handler answering(alice, "answering", [&](natsMsg* m) -> std::optional<std::string> {
    const char* question = nullptr;
    natsMsgHeader_Get(m, "Question", &question);
    auto reply = make_message(natsMsg_GetReply(m), "!");
    must(natsMsgHeader_Set(reply.get(), "Answer", question == nullptr ? "?" : question));
    alice.publish(reply);
    return std::nullopt;
  });
  auto request = make_message("answering", "?");
  must(natsMsgHeader_Set(request.get(), "Question", "because"));
  natsMsg* raw = nullptr;
  must(natsConnection_RequestMsg(&raw, bob.raw(), request.get(), patience_ms));
  CHECK(header_of(message(raw), "Answer") == "because");
}

TEST_CASE_METHOD(two_clients, "headers: many and long ones fit") {
  auto sub = alice.subscribe("h");
  alice.flush();
  auto m = make_message("h", "x");
  for (int i = 0; i < 500; ++i) {
    must(natsMsgHeader_Set(m.get(), ("Key-" + numbered(i)).c_str(), std::string(100, 'v').c_str()));
  }
  must(natsMsgHeader_Set(m.get(), "Long", std::string(100'000, 'l').c_str()));
  bob.publish(m);
  auto got = sub.next();
  CHECK(header_of(got, "Key-499") == std::string(100, 'v'));
  CHECK(header_of(got, "Long").size() == 100'000);
}

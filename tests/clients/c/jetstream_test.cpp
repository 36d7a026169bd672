#include "tests/clients/c/stream_client.hpp"

using namespace vagus::clients;

namespace {

jsPubOptions pub_options() {
  jsPubOptions how;
  jsPubOptions_Init(&how);
  return how;
}

}  // namespace

TEST_CASE("jetstream: what is published is acknowledged and read back") {
  stream_client c;
  c.make();
  CHECK(c.publish("s.a", "one").seq == 1);
  CHECK(c.publish("s.b", "two").seq == 2);
  CHECK(c.stored(1) == "one");
  CHECK(c.stored(2) == "two");
  auto state = c.info();
  CHECK(state.msgs == 2);
  CHECK(state.subjects == 2);
}

TEST_CASE("jetstream: acknowledged messages and ids are there after a restart") {
  stream_client c;
  c.make();
  auto how = pub_options();
  how.MsgId = "one";
  CHECK(c.publish("s.a", "x", &how).seq == 1);
  REQUIRE(c.server.stop() == 0);
  c.server.start();
  REQUIRE(eventually([&] { return c.nc.seen().reconnected > 0; }));
  CHECK(c.stored(1) == "x");
  auto again = c.publish("s.a", "x", &how);
  CHECK(again.seq == 1);
  CHECK(again.duplicate);
}

TEST_CASE("jetstream: a retry with the same message id is stored once") {
  stream_client c;
  c.make();
  auto how = pub_options();
  how.MsgId = "one";
  CHECK_FALSE(c.publish("s.a", "x", &how).duplicate);
  auto again = c.publish("s.a", "x", &how);
  CHECK(again.duplicate);
  CHECK(again.seq == 1);
  CHECK(c.info().msgs == 1);
}

TEST_CASE("jetstream: expectations that do not hold are refused") {
  stream_client c;
  c.make();
  c.publish("s.a", "x");
  auto expect = [&](auto set) {
    auto how = pub_options();
    set(how);
    return c.publish("s.a", "x", &how).error;
  };
  CHECK(expect([](auto& o) { o.ExpectStream = "T"; }) == JSStreamNotMatchErr);
  CHECK(expect([](auto& o) { o.ExpectLastSeq = 7; }) == JSStreamWrongLastSequenceErr);
  CHECK(expect([](auto& o) { o.ExpectLastSubjectSeq = 7; }) == JSStreamWrongLastSequenceErr);
  CHECK(expect([](auto& o) { o.ExpectLastMsgId = "z"; }) == JSStreamWrongLastMsgIDErr);
  CHECK(expect([](auto& o) { o.ExpectLastSeq = 1; }) == 0);
  CHECK(expect([](auto& o) { o.ExpectLastSubjectSeq = 2; }) == 0);
  CHECK(c.info().msgs == 3);
}

TEST_CASE("jetstream: thousands published without waiting are all stored") {
  constexpr int count = 5000;
  stream_client c;
  c.make();
  for (int i = 0; i < count; ++i) must(js_PublishAsync(c.js, "s.a", "x", 1, nullptr));
  jsPubOptions wait = pub_options();
  wait.MaxWait = patience_ms;
  must(js_PublishAsyncComplete(c.js, &wait));
  auto state = c.info();
  CHECK(state.msgs == count);
  CHECK(state.last == count);
}

TEST_CASE("jetstream: a stream is updated, and made twice only with the same configuration") {
  stream_client c;
  c.make();
  c.make();
  jsErrCode code{};
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  const char* subjects[] = {"s.>", "t"};
  config.Name = "S";
  config.Subjects = subjects;
  config.SubjectsLen = 2;
  CHECK(js_AddStream(nullptr, c.js, &config, nullptr, &code) != NATS_OK);
  CHECK(code == JSStreamNameExistErr);
  must(js_UpdateStream(nullptr, c.js, &config, nullptr, &code));
  CHECK(c.publish("t", "x").seq == 1);
}

TEST_CASE("jetstream: messages are deleted and erased, streams purged and deleted") {
  stream_client c;
  c.make();
  for (int i = 0; i < 5; ++i) c.publish(i % 2 == 0 ? "s.a" : "s.b", "x");
  jsErrCode code{};
  must(js_DeleteMsg(c.js, "S", 2, nullptr, &code));
  must(js_EraseMsg(c.js, "S", 3, nullptr, &code));
  CHECK(js_DeleteMsg(c.js, "S", 3, nullptr, &code) != NATS_OK);
  CHECK(c.stored(2).empty());
  CHECK(c.info().msgs == 3);

  jsOptions how;
  jsOptions_Init(&how);
  how.Stream.Purge.Subject = "s.a";
  must(js_PurgeStream(c.js, "S", &how, &code));
  CHECK(c.info().msgs == 1);
  must(js_PurgeStream(c.js, "S", nullptr, &code));
  CHECK(c.info().msgs == 0);
  CHECK(c.info().first == 6);

  must(js_DeleteStream(c.js, "S", nullptr, &code));
  CHECK(js_DeleteStream(c.js, "S", nullptr, &code) != NATS_OK);
  CHECK(code == JSStreamNotFoundErr);
}

TEST_CASE("jetstream: direct gets by sequence and by subject") {
  stream_client c;
  c.make([](jsStreamConfig& config) { config.AllowDirect = true; });
  for (const auto* text : {"one", "two", "three"}) c.publish("s.a", text);
  auto get = [&](auto set) -> std::string {
    jsDirectGetMsgOptions how;
    jsDirectGetMsgOptions_Init(&how);
    set(how);
    natsMsg* m = nullptr;
    if (js_DirectGetMsg(&m, c.js, "S", nullptr, &how) != NATS_OK) return {};
    return payload_of(message{m});
  };
  CHECK(get([](auto& o) { o.Sequence = 2; }) == "two");
  CHECK(get([](auto& o) { o.LastBySubject = "s.a"; }) == "three");
  CHECK(get([](auto& o) {
          o.NextBySubject = "s.a";
          o.Sequence = 2;
        }) == "two");
  CHECK(get([](auto& o) { o.Sequence = 9; }).empty());
}

TEST_CASE("jetstream: the limits of a stream are kept") {
  stream_client c;
  c.make([](jsStreamConfig& config) {
    config.MaxMsgs = 2;
    config.Discard = js_DiscardNew;
    config.MaxMsgSize = 10;
  });
  CHECK(c.publish("s.a", "12345678901").error == JSStreamMessageExceedsMaximumErr);
  c.publish("s.a", "x");
  c.publish("s.a", "x");
  CHECK(c.publish("s.a", "x").error == JSStreamStoreFailedErr);
}

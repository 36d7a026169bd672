#include "tests/clients/c/stream_client.hpp"

#include <map>

using namespace vagus::clients;

namespace {

constexpr int64_t ms = 1'000'000;

jsSubOptions sub_options() {
  jsSubOptions how;
  jsSubOptions_Init(&how);
  how.Stream = "S";
  how.ManualAck = true;
  return how;
}

struct position {
  uint64_t stream_seq, consumer_seq, deliveries, pending;
};

position position_of(const message& m) {
  jsMsgMetaData* meta = nullptr;
  must(natsMsg_GetMetaData(&meta, m.get()));
  position result{meta->Sequence.Stream, meta->Sequence.Consumer, meta->NumDelivered,
                  meta->NumPending};
  jsMsgMetaData_Destroy(meta);
  return result;
}

void ack(const message& m) {
  jsErrCode code{};
  must(natsMsg_AckSync(m.get(), nullptr, &code));
}

/// A stream S, and the words for its consumers.
struct consumer_client : stream_client {
  explicit consumer_client(jsRetentionPolicy retention = js_LimitsPolicy) {
    make([&](jsStreamConfig& config) { config.Retention = retention; });
  }

  void store(const strings& payloads, const char* subject = "s.a") const {
    for (const auto& p : payloads) must(publish(subject, p.c_str()).status);
  }

  /// A pull subscription to the durable c; `set` changes the options that it is made with.
  template <class F>
  subscription pull(F&& set, const char* subject = "s.>") const {
    auto how = sub_options();
    set(how);
    natsSubscription* raw = nullptr;
    jsErrCode code{};
    must(js_PullSubscribe(&raw, js, subject, "c", nullptr, &how, &code));
    return subscription{raw};
  }
  subscription pull() const {
    return pull([](jsSubOptions&) {});
  }

  /// A push subscription, to the durable c unless `set` says otherwise.
  template <class F>
  subscription push(F&& set, const char* subject = "s.>") const {
    auto how = sub_options();
    how.Config.Durable = "c";
    set(how);
    natsSubscription* raw = nullptr;
    jsErrCode code{};
    must(js_SubscribeSync(&raw, js, subject, nullptr, &how, &code));
    return subscription{raw};
  }

  struct consumer_state {
    uint64_t delivered, ack_floor, pending;
    int64_t ack_pending, redelivered, waiting;
  };
  consumer_state consumer(const char* name = "c") const {
    jsConsumerInfo* ci = nullptr;
    jsErrCode code{};
    must(js_GetConsumerInfo(&ci, js, "S", name, nullptr, &code));
    consumer_state result{ci->Delivered.Stream, ci->AckFloor.Stream, ci->NumPending,
                          ci->NumAckPending,    ci->NumRedelivered,  ci->NumWaiting};
    jsConsumerInfo_Destroy(ci);
    return result;
  }
};

/// Up to `count` messages, as many as come until the server says that there are no more.
std::vector<message> fetch(const subscription& sub, int count, int64_t limit_ms = patience_ms) {
  natsMsgList list{};
  jsErrCode code{};
  must(natsSubscription_Fetch(&list, sub.raw(), count, limit_ms, &code));
  std::vector<message> result;
  for (int i = 0; i < list.Count; ++i) {
    result.emplace_back(list.Msgs[i]);
    list.Msgs[i] = nullptr;
  }
  natsMsgList_Destroy(&list);
  return result;
}

strings payloads_of(const std::vector<message>& messages) {
  strings result;
  for (const auto& m : messages) result.push_back(payload_of(m));
  return result;
}

}  // namespace

TEST_CASE("consumer: a batch is fetched and acknowledged") {
  consumer_client c;
  c.store({"one", "two", "three"});
  auto sub = c.pull();
  auto batch = fetch(sub, 2);
  CHECK(payloads_of(batch) == strings{"one", "two"});
  CHECK(position_of(batch[1]).stream_seq == 2);
  CHECK(position_of(batch[1]).consumer_seq == 2);
  CHECK(position_of(batch[1]).deliveries == 1);
  CHECK(position_of(batch[1]).pending == 1);
  for (const auto& m : batch) ack(m);
  CHECK(c.consumer().ack_floor == 2);
  CHECK(c.consumer().ack_pending == 0);
  CHECK(c.consumer().pending == 1);
}

TEST_CASE("consumer: a fetch ends with what there is, and with none") {
  consumer_client c;
  c.store({"one", "two"});
  auto sub = c.pull();
  CHECK(payloads_of(fetch(sub, 10)) == strings{"one", "two"});
  natsMsgList list{};
  jsErrCode code{};
  CHECK(natsSubscription_Fetch(&list, sub.raw(), 1, 200, &code) == NATS_TIMEOUT);
}

TEST_CASE("consumer: a fetch waits for a message that is stored later") {
  consumer_client c;
  auto sub = c.pull();
  client other{c.server.url()};
  other.publish("s.a", "early");
  CHECK(payloads_of(fetch(sub, 1)) == strings{"early"});
}

TEST_CASE("consumer: a fetch of so many bytes") {
  consumer_client c;
  const std::string kilobyte(1000, 'x');
  c.store({kilobyte, kilobyte, kilobyte});
  auto sub = c.pull();
  jsFetchRequest how;
  jsFetchRequest_Init(&how);
  how.Batch = 10;
  how.MaxBytes = 2500;
  how.Expires = 1000 * ms;
  natsMsgList list{};
  must(natsSubscription_FetchRequest(&list, sub.raw(), &how));
  CHECK(list.Count == 2);
  natsMsgList_Destroy(&list);
}

TEST_CASE("consumer: thousands are fetched, each once and in order") {
  constexpr uint64_t count = 3000;
  consumer_client c;
  for (uint64_t i = 0; i < count; ++i) must(js_PublishAsync(c.js, "s.a", "x", 1, nullptr));
  must(js_PublishAsyncComplete(c.js, nullptr));
  auto sub = c.pull();
  std::vector<uint64_t> got;
  while (got.size() < count)
    for (const auto& m : fetch(sub, 100)) {
      got.push_back(position_of(m).stream_seq);
      must(natsMsg_Ack(m.get(), nullptr));
    }
  std::vector<uint64_t> wanted(count);
  for (uint64_t i = 0; i < count; ++i) wanted[i] = i + 1;
  CHECK(got == wanted);
  CHECK(eventually([&] { return c.consumer().ack_floor == count; }));
}

TEST_CASE("consumer: a refused message comes again, at once and later") {
  consumer_client c;
  c.store({"one"});
  auto sub = c.pull();
  must(natsMsg_Nak(fetch(sub, 1)[0].get(), nullptr));
  auto again = fetch(sub, 1);
  CHECK(position_of(again[0]).deliveries == 2);
  must(natsMsg_NakWithDelay(again[0].get(), 300, nullptr));
  again = fetch(sub, 1);
  CHECK(position_of(again[0]).deliveries == 3);
  CHECK(payload_of(again[0]) == "one");
  CHECK(c.consumer().redelivered == 1);
}

TEST_CASE("consumer: a terminated message does not come again") {
  consumer_client c;
  c.store({"one", "two"});
  auto sub = c.pull([](jsSubOptions& how) { how.Config.AckWait = 200 * ms; });
  must(natsMsg_Term(fetch(sub, 1)[0].get(), nullptr));
  CHECK(eventually([&] { return c.consumer().ack_pending == 0; }));
  auto next = fetch(sub, 1);
  CHECK(payload_of(next[0]) == "two");
  ack(next[0]);
  CHECK(c.consumer().ack_floor == 2);
}

TEST_CASE("consumer: what is not acknowledged in time comes again") {
  consumer_client c;
  c.store({"one"});
  auto sub = c.pull([](jsSubOptions& how) { how.Config.AckWait = 200 * ms; });
  CHECK(position_of(fetch(sub, 1)[0]).deliveries == 1);
  auto again = fetch(sub, 1);
  CHECK(position_of(again[0]).deliveries == 2);
  must(natsMsg_InProgress(again[0].get(), nullptr));
  ack(again[0]);
  CHECK(c.consumer().ack_floor == 1);
}

TEST_CASE("consumer: after max_deliver a message does not come again") {
  consumer_client c;
  auto advisories = c.nc.subscribe("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.S.c");
  c.store({"one"});
  auto sub = c.pull([](jsSubOptions& how) {
    how.Config.AckWait = 200 * ms;
    how.Config.MaxDeliver = 2;
  });
  fetch(sub, 1);
  CHECK(position_of(fetch(sub, 1)[0]).deliveries == 2);
  natsMsgList list{};
  jsErrCode code{};
  CHECK(natsSubscription_Fetch(&list, sub.raw(), 1, 1000, &code) == NATS_TIMEOUT);
  CHECK(advisories.next_payload().find(R"("stream_seq":1,"deliveries":2)") != std::string::npos);
  c.store({"two"});
  CHECK(payloads_of(fetch(sub, 1)) == strings{"two"});
}

TEST_CASE("consumer: filters and deliver policies") {
  consumer_client c;
  c.store({"one"}, "s.a");
  c.store({"two"}, "s.b");
  c.store({"three"}, "s.a");
  CHECK(payloads_of(fetch(c.pull([](jsSubOptions&) {}, "s.a"), 2)) == strings{"one", "three"});
  auto from = [&](auto set) {
    jsErrCode code{};
    must(js_DeleteConsumer(c.js, "S", "c", nullptr, &code));
    auto sub = c.pull([&](jsSubOptions& how) { set(how.Config); });
    return payload_of(fetch(sub, 1)[0]);
  };
  CHECK(from([](auto& config) { config.DeliverPolicy = js_DeliverLast; }) == "three");
  CHECK(from([](auto& config) { config.DeliverPolicy = js_DeliverLastPerSubject; }) == "two");
  CHECK(from([](auto& config) {
          config.DeliverPolicy = js_DeliverByStartSequence;
          config.OptStartSeq = 2;
        }) == "two");
}

TEST_CASE("consumer: push: messages come by themselves and are acknowledged") {
  consumer_client c;
  c.store({"one"});
  auto sub = c.push([](jsSubOptions&) {});
  c.store({"two"});
  for (const auto* text : {"one", "two"}) {
    auto m = sub.next();
    CHECK(payload_of(m) == text);
    ack(m);
  }
  CHECK(c.consumer().ack_floor == 2);
}

TEST_CASE("consumer: push: a callback and its own acknowledgements") {
  consumer_client c;
  std::atomic<int> got{0};
  auto how = sub_options();
  how.ManualAck = false;
  how.Config.Durable = "c";
  auto count = [](natsConnection*, natsSubscription*, natsMsg* m, void* to) {
    ++*static_cast<std::atomic<int>*>(to);
    natsMsg_Destroy(m);
  };
  natsSubscription* raw = nullptr;
  jsErrCode code{};
  must(js_Subscribe(&raw, c.js, "s.>", count, &got, nullptr, &how, &code));
  subscription sub{raw};
  c.store({"one", "two", "three"});
  CHECK(eventually([&] { return got == 3; }));
  CHECK(eventually([&] { return c.consumer().ack_floor == 3; }));
}

TEST_CASE("consumer: push: heartbeats and flow control with megabytes") {
  consumer_client c;
  const std::string payload(50'000, 'x');
  for (int i = 0; i < 100; ++i) c.store({payload});
  auto sub = c.push([](jsSubOptions& how) {
    how.Config.AckPolicy = js_AckNone;
    how.Config.FlowControl = true;
    how.Config.Heartbeat = 500 * ms;
  });
  for (uint64_t i = 1; i <= 100; ++i) REQUIRE(position_of(sub.next()).stream_seq == i);
}

TEST_CASE("consumer: push: the members of a queue share the messages") {
  constexpr int count = 100;
  consumer_client c;
  auto member = [&] {
    return c.push([](jsSubOptions& how) {
      how.Queue = "c";
      how.Config.Durable = nullptr;
    });
  };
  auto one = member();
  auto two = member();
  for (int i = 0; i < count; ++i) c.store({"x"});
  CHECK(eventually([&] { return one.queued() + two.queued() == count; }));
  CHECK(one.queued() > 0);
  CHECK(two.queued() > 0);
}

TEST_CASE("consumer: ordered: everything, in order") {
  constexpr uint64_t count = 500;
  consumer_client c;
  for (uint64_t i = 0; i < count; ++i) must(js_PublishAsync(c.js, "s.a", "x", 1, nullptr));
  must(js_PublishAsyncComplete(c.js, nullptr));
  auto sub = c.push([](jsSubOptions& how) {
    how.Ordered = true;
    how.ManualAck = false;
    how.Config.Durable = nullptr;
  });
  for (uint64_t i = 1; i <= count; ++i) REQUIRE(position_of(sub.next()).stream_seq == i);
}

TEST_CASE("consumer: a work queue forgets what is acknowledged") {
  consumer_client c{js_WorkQueuePolicy};
  c.store({"one", "two"});
  auto sub = c.pull();
  auto batch = fetch(sub, 2);
  ack(batch[1]);
  CHECK(eventually([&] { return c.info().msgs == 1; }));
  ack(batch[0]);
  CHECK(eventually([&] { return c.info().msgs == 0; }));
  CHECK(c.info().last == 2);
}

TEST_CASE("consumer: a durable goes on after a restart where it was acknowledged") {
  consumer_client c;
  c.store({"one", "two", "three"});
  auto sub = c.pull([](jsSubOptions& how) { how.Config.AckWait = 500 * ms; });
  auto batch = fetch(sub, 2);
  ack(batch[0]);
  REQUIRE(c.server.stop() == 0);
  c.server.start();
  REQUIRE(eventually([&] { return c.nc.seen().reconnected > 0; }));
  CHECK(c.consumer().ack_floor == 1);
  CHECK(c.consumer().delivered == 2);
  std::map<std::string, uint64_t> deliveries;
  while (deliveries.size() < 2)
    for (const auto& m : fetch(sub, 1)) {
      deliveries[payload_of(m)] = position_of(m).deliveries;
      ack(m);
    }
  CHECK(deliveries["two"] >= 2);
  CHECK(deliveries["three"] >= 1);
  CHECK(c.consumer().ack_floor == 3);
}

TEST_CASE("consumer: made, changed, listed and deleted") {
  consumer_client c;
  jsConsumerConfig config;
  jsConsumerConfig_Init(&config);
  config.Durable = "c";
  config.Description = "first";
  jsErrCode code{};
  must(js_AddConsumer(nullptr, c.js, "S", &config, nullptr, &code));
  config.Description = "second";
  jsConsumerInfo* ci = nullptr;
  must(js_UpdateConsumer(&ci, c.js, "S", &config, nullptr, &code));
  CHECK(std::string{ci->Config->Description} == "second");
  CHECK(ci->Config->AckWait == 30'000 * ms);
  CHECK(ci->Config->MaxAckPending == 1000);
  jsConsumerInfo_Destroy(ci);
  config.Durable = "d";
  must(js_AddConsumer(nullptr, c.js, "S", &config, nullptr, &code));
  jsConsumerNamesList* names = nullptr;
  must(js_ConsumerNames(&names, c.js, "S", nullptr, &code));
  CHECK(names->Count == 2);
  jsConsumerNamesList_Destroy(names);
  must(js_DeleteConsumer(c.js, "S", "d", nullptr, &code));
  CHECK(js_DeleteConsumer(c.js, "S", "d", nullptr, &code) != NATS_OK);
  CHECK(code == JSConsumerNotFoundErr);
}

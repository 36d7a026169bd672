#include "cases.hpp"
#include "consumer_load.hpp"
#include "growth.hpp"
#include "jetstream.hpp"
#include "publish_load.hpp"
#include "statistics.hpp"

#include <cstdio>
#include <thread>

namespace vagus::bench {

namespace {

using kind = goal::kind;

constexpr size_t payload = 128;
constexpr auto patience = std::chrono::seconds{300};

void store(const server_process& server, uint64_t messages, const publication& what) {
  publish_load load(server, {what}, false);
  load.store(messages);
  load.check_stored();
}

bench_case make(const std::string& name, const std::string& text, double at_least) {
  bench_case result;
  result.name = name;
  result.what = "consumer: " + text;
  result.rows = {{name, "msg/s", {kind::ratio_at_least, at_least}}};
  result.jetstream = true;
  return result;
}

/// A case that reads --consumed messages, which are stored once for each server.
bench_case reading(const std::string& name, const std::string& text, double at_least,
                   const std::function<sample(const server_process&, const options&)>& measure) {
  bench_case result = make(name, text, at_least);
  result.prepare = [](const server_process& server, const options& how) {
    store(server, how.consumed, {});
  };
  result.run = [measure](const server_process& server, const options& how) {
    api_client(server.port()).await_messages("BENCH", how.consumed, patience);
    return std::vector<sample>{measure(server, how)};
  };
  return result;
}

/// Also shows the server's CPU time for each message that was delivered and acknowledged.
bench_case fetches(unsigned clients) {
  const std::string count = std::to_string(clients);
  const std::string name = "js-fetch-" + count;
  bench_case result = make(
      name, count + " client(s) of one durable fetch 500 at a time and acknowledge each, 128 B",
      2.5);
  result.rows.push_back({name + " CPU", "ns/msg", {kind::ratio_at_most, 0.5}});
  result.prepare = reading("", "", 0, {}).prepare;
  result.run = [clients](const server_process& server, const options& how) {
    api_client(server.port()).await_messages("BENCH", how.consumed, patience);
    const sample rate = measure_fetch(server, how.seconds, clients, how.consumed, payload);
    return std::vector<sample>{rate, {rate.server_ns}};
  };
  return result;
}

bench_case consume() {
  return reading("js-consume", "continuous, overlapping pull requests, no acknowledgements", 3,
                 [](const server_process& server, const options& how) {
                   return measure_consume(server, how.seconds, how.consumed, payload);
                 });
}

bench_case ordered() {
  return reading("js-ordered", "the ordered consumer of clients, pushed, with flow control", 3,
                 [](const server_process& server, const options& how) {
                   return measure_ordered(server, how.seconds, how.consumed, payload);
                 });
}

bench_case work_queue() {
  bench_case result = make(
      "js-workqueue", "4 publishers, 4 workers that fetch and acknowledge, until it is empty", 2);
  result.run = [](const server_process& server, const options& how) {
    return std::vector<sample>{measure_work_queue(server, how.queued, payload)};
  };
  return result;
}

/// Every thousandth message has one of the ten subjects that bench.k500.* matches.
publication subjects_in_turn() {
  publication what;
  what.in_turn = true;
  what.subjects.clear();
  for (unsigned i = 0; i < 10'000; ++i) {
    char subject[32];
    std::snprintf(subject, sizeof subject, "bench.k%03u.s%u", i % 1000, i / 1000);
    what.subjects.push_back(subject);
  }
  return what;
}

bench_case filter() {
  bench_case result =
      make("js-filter",
           "a wildcard filter that 1 in 1000 of --filtered messages matches, from the start", 3);
  result.rows.push_back({"js-filter creation", "us", {kind::none}});
  result.prepare = [](const server_process& server, const options& how) {
    store(server, how.filtered, subjects_in_turn());
  };
  result.run = [](const server_process& server, const options& how) {
    api_client(server.port()).await_messages("BENCH", how.filtered, patience);
    auto both = measure_filter(server, "bench.k500.*", how.filtered / 1000, how.filtered, payload);
    both[1].value *= 1e6;
    return both;
  };
  return result;
}

bench_case delivery_latency() {
  bench_case result =
      make("js-delivery", "from publishing to delivery by a consumer, 10,000 messages a second", 0);
  result.rows = {{"js-delivery p50", "us", {kind::none}}, {"js-delivery p99", "us", {kind::none}}};
  result.run = [](const server_process& server, const options& how) {
    constexpr double per_second = 10'000;
    const auto messages = static_cast<uint64_t>(per_second * (how.warm_up + how.seconds));
    const auto ignored = static_cast<uint64_t>(per_second * how.warm_up);
    auto all = delivery_latencies(server, per_second, messages, ignored, payload);
    return std::vector<sample>{{percentile(all, 0.5) * 1e6}, {percentile(all, 0.99) * 1e6}};
  };
  return result;
}

constexpr uint64_t messages_of_consumers = 1000;

/// A stream with some messages that may have --consumers consumers.
void store_for_consumers(const server_process& server, const options& how) {
  stream_setup what;
  what.max_consumers = static_cast<int64_t>(how.consumers);
  api_client(server.port()).create(what);
  stream_publisher publisher(server.port(), {}, 0);
  publisher.run([&] { return messages_of_consumers - publisher.sent(); });
}

bench_case many_consumers() {
  bench_case result =
      make("js-consumers", "--consumers durables of one stream, 50 requests in flight", 2);
  result.rows = {{"js-consumers memory", "B/cons", {kind::ratio_at_most, 0.5}},
                 {"js-consumers rate", "cons/s", {kind::ratio_at_least, 2}},
                 {"js-consumers anon", "B/cons", {kind::none}}};
  result.run = [](const server_process& server, const options& how) {
    store_for_consumers(server, how);
    const growth grown(server);
    create_durables(server, how.consumers);
    return grown.per(static_cast<double>(how.consumers));
  };
  return result;
}

bench_case open_consumers() {
  bench_case result = make("js-consumers-open", "start on a store with --consumers durables", 0);
  result.rows = {{"js-consumers-open ready", "ms", {kind::none}},
                 {"js-consumers-open memory", "MB", {kind::none}}};
  result.prepare = [](const server_process& server, const options& how) {
    store_for_consumers(server, how);
    create_durables(server, how.consumers);
  };
  result.run = [](const server_process& server, const options& how) {
    api_client api(server.port());
    api.await_messages("BENCH", messages_of_consumers, patience);
    if (api.state("BENCH", "consumer_count") != how.consumers)
      throw failure("not all of the consumers are there");
    api.consumer("BENCH", durable_name(how.consumers - 1));
    const double ready = seconds_between(server.begin(), steady::now());
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
    return std::vector<sample>{{ready * 1e3}, {server.resident_bytes() / 1e6}};
  };
  return result;
}

}  // namespace

std::vector<bench_case> consumer_cases() {
  return {fetches(1), fetches(4),         consume(),        ordered(),       work_queue(),
          filter(),   delivery_latency(), many_consumers(), open_consumers()};
}

}  // namespace vagus::bench

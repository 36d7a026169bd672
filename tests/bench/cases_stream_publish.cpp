#include "cases.hpp"
#include "publish_load.hpp"
#include "statistics.hpp"

#include <cstdio>

namespace vagus::bench {

namespace {

using kind = goal::kind;

constexpr const char* always = "jetstream { sync_interval: always }\n";

/// Messages per second, acknowledged, and the server's CPU time for each.
bench_case make(const std::string& name, const std::string& text, double at_least,
                const std::vector<publication>& what, bool memory = false) {
  bench_case result;
  result.name = name;
  result.what = "stream: " + text;
  result.rows = {{name, "msg/s", {kind::ratio_at_least, at_least}},
                 {name + " CPU", "ns/msg", {kind::ratio_at_most, 0.5}}};
  result.run = [what, memory](const server_process& server, const options& how) {
    publish_load load(server, what, memory);
    load.run(how.warm_up);
    const sample rate = load.run(how.seconds);
    load.check_stored();
    return std::vector<sample>{rate, {rate.server_ns}};
  };
  result.jetstream = true;
  return result;
}

bench_case against_always(bench_case result) {
  result.peer_config = always;
  return result;
}

publication thousand_subjects() {
  publication what;
  what.subjects.clear();
  for (int i = 0; i < 1000; ++i) {
    char subject[32];
    std::snprintf(subject, sizeof subject, "bench.s%03d", i);
    what.subjects.push_back(subject);
  }
  return what;
}

publication with_ids() {
  publication what;
  what.ids = true;
  return what;
}

publication of_size(size_t payload) {
  publication what;
  what.payload = payload;
  return what;
}

std::vector<publication> eight_streams() {
  std::vector<publication> all(8);
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].stream = "BENCH" + std::to_string(i);
    all[i].subjects = {"bench" + std::to_string(i) + ".data"};
    all[i].in_flight = 500;
  }
  return all;
}

/// One message at a time, each durable before the next is sent.
bench_case latency() {
  bench_case result;
  result.name = "js-latency";
  result.what = "stream: 128 B, one in flight, against the peer's sync_interval: always";
  result.rows = {{"js-latency p50", "us", {kind::ratio_at_most, 1}},
                 {"js-latency p99", "us", {kind::none}}};
  result.run = [](const server_process& server, const options& how) {
    publication what;
    what.in_flight = 1;
    publish_load load(server, {what}, false);
    load.run(how.warm_up);
    auto all = load.latencies(how.seconds);
    load.check_stored();
    return std::vector<sample>{{percentile(all, 0.5) * 1e6}, {percentile(all, 0.99) * 1e6}};
  };
  result.jetstream = true;
  result.peer_config = always;
  return result;
}

}  // namespace

std::vector<bench_case> stream_publish_cases() {
  return {make("js-128", "128 B, 1000 in flight", 2, {publication{}}),
          against_always(make("js-always", "the same against the peer's sync_interval: always", 50,
                              {publication{}})),
          make("js-subjects", "the same over 1000 random subjects", 2, {thousand_subjects()}),
          make("js-ids", "the same with Nats-Msg-Id", 2, {with_ids()}),
          make("js-1k", "1 KiB, 1000 in flight", 1.5, {of_size(1024)}),
          make("js-8", "8 connections to 8 streams, 128 B, 500 in flight each", 2, eight_streams()),
          latency(),
          make("js-memory", "in memory, 128 B, 1000 in flight", 2, {publication{}}, true)};
}

}  // namespace vagus::bench

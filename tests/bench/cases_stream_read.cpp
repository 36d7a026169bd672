#include "cases.hpp"
#include "get_load.hpp"
#include "jetstream.hpp"
#include "publish_load.hpp"

#include <cstdio>
#include <thread>

namespace vagus::bench {

namespace {

using kind = goal::kind;

constexpr size_t payload = 128;
constexpr auto patience = std::chrono::seconds{300};
constexpr auto settle_time = std::chrono::milliseconds{300};

void store(const server_process& server, uint64_t messages, uint64_t subjects) {
  publication what;
  what.payload = payload;
  if (subjects > 1) what.subjects.clear();
  for (uint64_t i = 0; subjects > 1 && i < subjects; ++i) {
    char subject[40];
    std::snprintf(subject, sizeof subject, "bench.%09llu", static_cast<unsigned long long>(i));
    what.subjects.push_back(subject);
  }
  publish_load load(server, {what}, false);
  load.store(messages);
  load.check_stored();
}

uint64_t messages_to_get(const options& how) {
  return how.quick ? 2'000 : 200'000;
}

bench_case make(const std::string& name, const std::string& text, const std::string& unit,
                double at_least) {
  bench_case result;
  result.name = name;
  result.what = "stream: " + text;
  result.rows = {{name, unit, {kind::ratio_at_least, at_least}}};
  result.jetstream = true;
  return result;
}

bench_case gets(unsigned clients, double at_least) {
  const std::string count = std::to_string(clients);
  bench_case result =
      make("js-get-" + count,
           "direct gets of random sequences, " + count + " client(s) with one in flight each",
           "req/s", at_least);
  result.prepare = [](const server_process& server, const options& how) {
    store(server, messages_to_get(how), 1);
  };
  result.run = [clients](const server_process& server, const options& how) {
    const uint64_t messages = messages_to_get(how);
    api_client(server.port()).await_messages("BENCH", messages, patience);
    measure_gets(server, how.warm_up, clients, messages, payload);
    return std::vector<sample>{measure_gets(server, how.seconds, clients, messages, payload)};
  };
  return result;
}

bench_case batches() {
  bench_case result =
      make("js-get-batch", "direct gets of batches of 1000 messages, 1 client", "msg/s", 3);
  result.prepare = gets(1, 0).prepare;
  result.run = [](const server_process& server, const options& how) {
    const uint64_t messages = messages_to_get(how);
    api_client(server.port()).await_messages("BENCH", messages, patience);
    measure_batches(server, how.warm_up, 1000, messages, payload);
    return std::vector<sample>{measure_batches(server, how.seconds, 1000, messages, payload)};
  };
  return result;
}

bench_case opening() {
  bench_case result;
  result.name = "js-open";
  result.what = "stream: start on a store of --stored messages over a tenth as many subjects";
  result.rows = {{"js-open ready", "ms", {kind::ratio_at_most, 0.1}},
                 {"js-open memory", "B", {kind::ratio_at_most, 0.3}}};
  result.jetstream = true;
  result.prepare = [](const server_process& server, const options& how) {
    store(server, how.stored, how.stored / 10);
  };
  result.run = [](const server_process& server, const options& how) {
    api_client(server.port()).await_messages("BENCH", how.stored, patience);
    const double ready = seconds_between(server.begin(), steady::now());
    std::this_thread::sleep_for(settle_time);
    return std::vector<sample>{{ready * 1e3}, {server.anonymous_bytes()}};
  };
  return result;
}

bench_case deletes() {
  bench_case result = make(
      "js-delete", "delete --deleted random interior messages of twice as many, 1000 in flight",
      "msg/s", 3);
  result.run = [](const server_process& server, const options& how) {
    store(server, 2 * how.deleted, 1);
    return std::vector<sample>{measure_deletes(server, how.deleted, payload)};
  };
  return result;
}

}  // namespace

std::vector<bench_case> stream_read_cases() {
  return {gets(1, 1.5), gets(16, 3), batches(), opening(), deletes()};
}

}  // namespace vagus::bench

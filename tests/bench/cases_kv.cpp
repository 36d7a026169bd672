#include "cases.hpp"
#include "jetstream.hpp"
#include "kv_load.hpp"

namespace vagus::bench {

namespace {

constexpr size_t payload = 128;
constexpr auto patience = std::chrono::seconds{300};

bench_case make(const std::string& name, const std::string& text, const std::string& unit,
                double at_least) {
  bench_case result;
  result.name = name;
  result.what = "key-value: " + text;
  result.rows = {{name, unit, {goal::kind::ratio_at_least, at_least}}};
  result.jetstream = true;
  return result;
}

bench_case puts(unsigned clients) {
  const std::string count = std::to_string(clients);
  bench_case result = make(
      "kv-put-" + count, "puts by " + count + " client(s) that wait for each PubAck", "put/s", 0.8);
  result.run = [clients](const server_process& server, const options& how) {
    const uint64_t keys = how.quick ? 1'000 : 10'000;
    fill_bucket(server, keys, 1, payload);
    measure_puts(server, how.warm_up, clients, keys, payload);
    return std::vector<sample>{measure_puts(server, how.seconds, clients, keys, payload)};
  };
  return result;
}

uint64_t stored_keys(const options& how) {
  return how.quick ? 2'000 : 100'000;
}

/// The bucket is filled once for each server, with a second revision of each key.
bench_case reading(bench_case result,
                   const std::function<sample(const server_process&, const options&)>& measure) {
  result.prepare = [](const server_process& server, const options& how) {
    fill_bucket(server, stored_keys(how), 2, payload);
  };
  result.run = [measure](const server_process& server, const options& how) {
    api_client(server.port()).await_messages("KV_b", stored_keys(how), patience);
    return std::vector<sample>{measure(server, how)};
  };
  return result;
}

bench_case gets(unsigned clients) {
  const std::string count = std::to_string(clients);
  return reading(make("kv-get-" + count,
                      "direct gets of random keys by " + count + " client(s), one in flight each",
                      "get/s", 1.5),
                 [clients](const server_process& server, const options& how) {
                   const uint64_t keys = stored_keys(how);
                   measure_key_gets(server, how.warm_up, clients, keys, payload);
                   return measure_key_gets(server, how.seconds, clients, keys, payload);
                 });
}

bench_case watch() {
  return reading(make("kv-watch", "a watch of 100,000 keys until all have arrived", "key/s", 2),
                 [](const server_process& server, const options& how) {
                   return measure_watch(server, how.seconds, stored_keys(how), payload);
                 });
}

}  // namespace

std::vector<bench_case> kv_cases() {
  return {puts(1), puts(8), gets(1), gets(8), watch()};
}

}  // namespace vagus::bench

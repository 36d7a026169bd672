#include "actors/jetstream/requests.hpp"
#include "actors/jetstream/stream_check.hpp"
#include "recorded_answers.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>

using namespace vagus;

namespace {

constexpr int64_t second = 1'000'000'000;

stream_request asked(const std::string& json) {
  stream_request request;
  auto error = read_json(json, true, request);
  CAPTURE(json, error ? error->description : "");
  REQUIRE(!error);
  return request;
}

stream_config created(const std::string& json, const jetstream_limits& limits = {}) {
  auto [config, pedantic] = asked(json);
  auto error = check_stream_config(config, limits, pedantic);
  CAPTURE(json, error ? error->description : "");
  REQUIRE(!error);
  return config;
}

/// The stored configuration or the error, as JSON.
std::string creating(const std::string& json, const jetstream_limits& limits = {}) {
  auto [config, pedantic] = asked(json);
  auto error = check_create_request(config);
  if (!error) error = check_stream_config(config, limits, pedantic);
  return error ? to_json(*error) : to_json(config);
}

std::string updating(const std::string& from, const std::string& to) {
  auto old = created(from);
  auto [next, pedantic] = asked(to);
  auto error = check_stream_update(old, next, {}, pedantic);
  return error ? to_json(*error) : to_json(next);
}

std::string text(const std::string& json, const jetstream_limits& limits = {}) {
  auto [config, pedantic] = asked(json);
  auto error = check_stream_config(config, limits, pedantic);
  return error ? error->description : "";
}

}  // namespace

TEST_CASE("jetstream config: created and updated as by the peer") {
  auto recorded = read_recorded_answers("jetstream/configs.txt");
  REQUIRE(recorded.size() > 300);
  for (const auto& r : recorded) {
    CAPTURE(r.kind, r.first, r.then);
    CHECK((r.kind == "update" ? updating(r.first, r.then) : creating(r.first)) == r.answer);
  }
}

TEST_CASE("jetstream config: an answer carries version and level, the stored form does not") {
  auto config = created(R"({"name":"S","metadata":{"_nats.ver":"9","_nats.level":"9","z":"1"}})");
  CHECK(to_json(config).find(R"("metadata":{"_nats.req.level":"0","z":"1"}})") !=
        std::string::npos);
  CHECK(to_json(config, true)
            .find(R"("metadata":{"_nats.level":"1","_nats.req.level":"0",)"
                  R"("_nats.ver":"2.)") != std::string::npos);
}

TEST_CASE("jetstream config: what is stored is read back the same") {
  for (const auto& r : read_recorded_answers("jetstream/configs.txt")) {
    if (r.answer.starts_with(R"({"code")")) continue;
    stream_config config;
    CAPTURE(r.answer);
    REQUIRE(!read_json(r.answer, true, config));
    CHECK(to_json(config) == r.answer);
    auto again = config;
    CHECK(!check_stream_config(again, {}, false));
    CHECK(again == config);
  }
}

TEST_CASE("jetstream config: a mirror and sources survive reading and writing") {
  constexpr auto source =
      R"({"name":"A","opt_start_seq":5,"opt_start_time":"2024-02-29T12:00:00.5Z",)"
      R"("filter_subject":"a.b","subject_transforms":[{"src":"a","dest":"b"}],)"
      R"("external":{"api":"$JS.x.API","deliver":"d"},)"
      R"("consumer":{"name":"c","deliver_subject":"e"}})";
  auto json = fmt::format(R"({{"mirror":{0},"sources":[{0},{{"name":"B"}}]}})", source);
  auto written = to_json(asked(json).config);
  CHECK(written.find(fmt::format(R"("mirror":{0},"sources":[{0},{{"name":"B"}}],"compression")",
                                 source)) != std::string::npos);
}

TEST_CASE("jetstream config: what vagus does not have is refused by name") {
  auto refused = [](const std::string& member) { return text(R"({"name":"S",)" + member + "}"); };
  constexpr auto origin = R"({"name":"A","consumer":{"name":"c","deliver_subject":"d"}})";
  CHECK(refused(fmt::format(R"("mirror":{})", origin)) ==
        "consumer of mirror is not supported by this server");
  CHECK(refused(fmt::format(R"("sources":[{}])", origin)) ==
        "consumer of sources is not supported by this server");
  for (std::string name :
       {"allow_msg_counter", "allow_atomic", "allow_msg_schedules", "allow_batched"}) {
    CHECK(refused("\"" + name + "\":true") == name + " is not supported by this server");
    CHECK(refused("\"" + name + "\":false").empty());
  }
}

TEST_CASE("jetstream config: the server's duplicate window is the longest") {
  jetstream_limits limits;
  limits.duplicate_window = 60 * second;
  CHECK(created(R"({"name":"S"})", limits).duplicate_window == 60 * second);
  CHECK(text(R"({"name":"S","pedantic":true})", limits) ==
        "pedantic mode: duplicate window limits are higher than current limits");
  CHECK(text(R"({"name":"S","duplicate_window":60000000001})", limits) ==
        "duplicates window can not be larger then server limit of 1m0s");
}

TEST_CASE("jetstream config: limits of the account") {
  jetstream_limits limits;
  limits.max_bytes_required = true;
  limits.memory_max_stream_bytes = 10;
  limits.storage_max_stream_bytes = 20;
  CHECK(text(R"({"name":"S"})", limits) ==
        "account requires a stream config to have max bytes set");
  CHECK(text(R"({"name":"S","max_bytes":20})", limits).empty());
  CHECK(text(R"({"name":"S","max_bytes":11,"storage":"memory"})", limits) ==
        "stream max bytes exceeds account limit max stream bytes");
}

TEST_CASE("jetstream config: max_bytes of all streams must fit") {
  auto file = created(R"({"name":"S","max_bytes":40})");
  auto open = created(R"({"name":"S"})");
  auto memory = created(R"({"name":"S","storage":"memory","max_bytes":40})");
  CHECK(!check_reservation(file, {0, 60, 0, 100}));
  CHECK(check_reservation(file, {0, 61, 0, 100})->is(js_errc::storage_resources_exceeded));
  CHECK(check_reservation(memory, {61, 0, 100, 0})->is(js_errc::memory_resources_exceeded));
  CHECK(!check_reservation(open, {0, 99, 0, 100}));
  CHECK(check_reservation(open, {0, 100, 0, 100})->is(js_errc::storage_resources_exceeded));
  CHECK(!check_reservation(file, {INT64_MAX, INT64_MAX, -1, -1}));
}

TEST_CASE("jetstream config: sealing changes other members along") {
  auto old = created(R"({"name":"S","max_age":60000000000})");
  auto next = asked(R"({"name":"S","max_age":60000000000,"sealed":true,"allow_rollup_hdrs":true})");
  REQUIRE(!check_stream_update(old, next.config, {}, false));
  CHECK(next.config.max_age == 0);
  CHECK(next.config.discard == discard_policy::new_msgs);
  CHECK(next.config.deny_delete);
  CHECK(next.config.deny_purge);
  CHECK(!next.config.allow_rollup_hdrs);
  auto back = old;
  CHECK(check_stream_update(next.config, back, {}, false)->description ==
        "stream configuration update can not unseal a sealed stream");
}

TEST_CASE("jetstream config: the same configuration is the same whatever its metadata says") {
  auto old = created(R"({"name":"S","metadata":{"a":"b"}})");
  auto same = created(R"({"name":"S","subjects":["S"],"max_msgs":-1,"metadata":{"a":"b"}})");
  same.metadata["_nats.ver"] = "9";
  CHECK(same_config(same, old));
  CHECK(!same_config(created(R"({"name":"S","metadata":{"a":"c"}})"), old));
  CHECK(!same_config(created(R"({"name":"S","max_msgs":5,"metadata":{"a":"b"}})"), old));
}

TEST_CASE("jetstream config: many literal subjects are fine, many patterns are not") {
  std::string literals = R"({"name":"S","subjects":["a.0")";
  std::string patterns = R"({"name":"S","subjects":["*.0")";
  for (int i = 1; i < 50'000; ++i) literals += fmt::format(R"(,"a.{}")", i);
  for (int i = 1; i < 5'000; ++i) patterns += fmt::format(R"(,"*.{}")", i);
  CHECK(text(literals + "]}").empty());
  CHECK(text(patterns + "]}") == "too many subjects with wildcards");
}

TEST_CASE("jetstream config: what the store keeps to") {
  auto limits = limits_of(created(
      R"({"name":"S","max_msgs":1,"max_bytes":2,"max_age":3000000000,"max_msgs_per_subject":4,
        "max_msg_size":5,"duplicate_window":600000000,"first_seq":7,"discard":"new",
        "discard_new_per_subject":true})"));
  CHECK(limits == store_limits{.max_msgs = 1,
                               .max_bytes = 2,
                               .max_age_ns = 3 * second,
                               .max_msgs_per_subject = 4,
                               .max_msg_size = 5,
                               .duplicate_window_ns = 600'000'000,
                               .first_seq = 7,
                               .discard_new = true,
                               .discard_new_per_subject = true});
  CHECK(!limits_of(created(R"({"name":"S"})")).discard_new);
}

#include "actors/jetstream/consumer_check.hpp"
#include "actors/jetstream/consumer_info.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace vagus;

namespace {

constexpr int64_t second = 1'000'000'000;

consumer_config durable() {
  consumer_config config;
  config.durable_name = config.name = "c";
  config.ack_policy = ack_policy::explicit_acks;
  config.metadata["_nats.req.level"] = "0";
  return config;
}

consumer_info plain_info(const consumer_config& config) {
  consumer_info info;
  info.stream_name = "S";
  info.name = config.name;
  info.config = &config;
  info.created_ns = 1;
  info.now_ns = 2;
  info.server_metadata = false;
  return info;
}

/// What comes behind the configuration.
std::string state_members(const consumer_info& info) {
  auto members = info_members(info);
  return members.substr(members.find(R"("delivered":)"));
}

}  // namespace

TEST_CASE("jetstream consumer info: a new consumer as the peer prints it") {
  auto config = durable();
  CHECK(info_members(plain_info(config)) ==
        R"("stream_name":"S","name":"c","created":"1970-01-01T00:00:00.000000001Z","config":)" +
            to_json(config) +
            R"(,"delivered":{"consumer_seq":0,"stream_seq":0},)"
            R"("ack_floor":{"consumer_seq":0,"stream_seq":0},"num_ack_pending":0,)"
            R"("num_redelivered":0,"num_waiting":0,"num_pending":0,)"
            R"("ts":"1970-01-01T00:00:00.000000002Z")");
}

TEST_CASE("jetstream consumer info: with deliveries and acknowledgements") {
  auto config = durable();
  auto info = plain_info(config);
  info.delivered = {3, 6};
  info.delivered_ns = second;
  info.ack_floor = {1, 4};
  info.acked_ns = 2 * second;
  info.num_ack_pending = 2;
  info.num_redelivered = 1;
  info.num_waiting = 5;
  info.num_pending = 7;
  info.push_bound = true;
  CHECK(state_members(info) ==
        R"("delivered":{"consumer_seq":3,"stream_seq":6,"last_active":"1970-01-01T00:00:01Z"},)"
        R"("ack_floor":{"consumer_seq":1,"stream_seq":4,"last_active":"1970-01-01T00:00:02Z"},)"
        R"("num_ack_pending":2,"num_redelivered":1,"num_waiting":5,"num_pending":7,)"
        R"("push_bound":true,"ts":"1970-01-01T00:00:00.000000002Z")");
}

TEST_CASE("jetstream consumer info: paused until its time") {
  auto config = durable();
  set_pause(config, 10 * second);
  auto info = plain_info(config);
  info.now_ns = 4 * second;
  CHECK(state_members(info).ends_with(
      R"("num_pending":0,"paused":true,"pause_remaining":6000000000,"ts":"1970-01-01T00:00:04Z")"));
  CHECK(pause_members(config, 4 * second) ==
        R"("paused":true,"pause_until":"1970-01-01T00:00:10Z","pause_remaining":6000000000)");
  info.now_ns = 10 * second;
  CHECK(state_members(info).ends_with(R"("num_pending":0,"ts":"1970-01-01T00:00:10Z")"));
  set_pause(config, std::nullopt);
  CHECK(pause_members(config, 0) == R"("paused":false,"pause_until":"0001-01-01T00:00:00Z")");
}

TEST_CASE("jetstream consumer info: a priority group and its pinned client") {
  auto config = durable();
  config.priority_groups = {"g", "h"};
  auto info = plain_info(config);
  CHECK(state_members(info).ends_with(
      R"("priority_groups":[{"group":"g","pinned_ts":"0001-01-01T00:00:00Z"}])"));
  info.pin_id = "P";
  info.pinned_ns = second;
  CHECK(state_members(info).ends_with(
      R"([{"group":"g","pinned_client_id":"P","pinned_ts":"1970-01-01T00:00:01Z"}])"));
}

#include "actors/jetstream/api_error.hpp"
#include "actors/jetstream/json_text.hpp"
#include "actors/jetstream/rfc3339.hpp"
#include "actors/jetstream/stream_info.hpp"
#include "actors/jetstream/subjects_check.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace vagus;

TEST_CASE("jetstream errors: code, number and text in the peer's order") {
  CHECK(to_json(make_error(js_errc::stream_not_found)) ==
        R"({"code":404,"err_code":10059,"description":"stream not found"})");
  CHECK(to_json(make_error(js_errc::stream_wrong_last_sequence, {{"seq", "7"}})) ==
        R"({"code":400,"err_code":10071,"description":"wrong last sequence: 7"})");
  CHECK(
      make_error(js_errc::restore_subscribe_failed, {{"subject", "s"}, {"err", "e"}}).description ==
      "JetStream unable to subscribe to restore snapshot s: e");
  CHECK(make_error(js_errc::stream_store_failed, "disk full").description == "disk full");
  CHECK(make_error(js_errc::account_resources_exceeded).err_code == 10002);
  CHECK(make_error(js_errc::message_source_hdr_not_allowed).err_code == 10227);
}

TEST_CASE("jetstream errors: a value that looks like a place is not filled in") {
  CHECK(make_error(js_errc::restore_subscribe_failed, {{"subject", "{err}"}, {"err", "e"}})
            .description == "JetStream unable to subscribe to restore snapshot {err}: e");
}

TEST_CASE("jetstream times: RFC 3339 without trailing zeros") {
  CHECK(rfc3339(zero_time) == "0001-01-01T00:00:00Z");
  CHECK(rfc3339(0) == "1970-01-01T00:00:00Z");
  CHECK(rfc3339(1'500'000'000) == "1970-01-01T00:00:01.5Z");
  CHECK(rfc3339(1'709'210'096'000'000'001) == "2024-02-29T12:34:56.000000001Z");
  CHECK(rfc3339(-1) == "1969-12-31T23:59:59.999999999Z");
  for (int64_t t : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{1'709'210'096'120'000'000}})
    CHECK(parse_rfc3339(rfc3339(t)).time_ns == t);
  CHECK(parse_rfc3339("0001-01-01T00:00:00Z").time_ns == zero_time);
  CHECK(parse_rfc3339("9999-12-31T23:59:59Z").time_ns == INT64_MAX);
  CHECK(parse_rfc3339("1970-01-01T02:00:00+02:00").time_ns == 0);
}

TEST_CASE("jetstream times: durations as Go prints them") {
  CHECK(go_duration(0) == "0s");
  CHECK(go_duration(5) == "5ns");
  CHECK(go_duration(1'500) == "1.5µs");
  CHECK(go_duration(100'000'000) == "100ms");
  CHECK(go_duration(1'500'000'000) == "1.5s");
  CHECK(go_duration(120'000'000'000) == "2m0s");
  CHECK(go_duration(-3'661'000'000'000) == "-1h1m1s");
}

TEST_CASE("jetstream texts: escapes of JSON and of messages") {
  CHECK(go_quoted("<a>&\"\\\n\x01\x7f\u2028é") ==
        "\"\\u003ca\\u003e\\u0026\\\"\\\\\\n\\u0001\x7f\\u2028é\"");
  CHECK(go_quoted("a\xff") == R"("a\ufffd")");
  CHECK(go_printed("<a>\"\\\n\x01\x7f é\xff") == "\"<a>\\\"\\\\\\n\\x01\\x7f é\\xff\"");
}

TEST_CASE("jetstream state: as the peer prints it") {
  store_state state;
  CHECK(to_json(state, {}, 0) ==
        R"({"messages":0,"bytes":0,"first_seq":0,"first_ts":"0001-01-01T00:00:00Z",)"
        R"("last_seq":0,"last_ts":"0001-01-01T00:00:00Z","consumer_count":0})");
  state.msgs = 3;
  state.bytes = 114;
  state.first_seq = 1;
  state.first_time_ns = 1'795'573'870'252'345'384;
  state.last_seq = 6;
  state.last_time_ns = 1'795'573'870'253'137'000;
  state.num_subjects = 3;
  state_details details{{{"a.3", 1}, {"a.0", 1}, {"a.1", 1}}, {2, 3, 5}};
  CHECK(to_json(state, details, 0) ==
        R"({"messages":3,"bytes":114,"first_seq":1,"first_ts":"2026-11-25T02:31:10.252345384Z",)"
        R"("last_seq":6,"last_ts":"2026-11-25T02:31:10.253137Z","num_subjects":3,)"
        R"("subjects":{"a.0":1,"a.1":1,"a.3":1},"num_deleted":3,"deleted":[2,3,5],)"
        R"("consumer_count":0})");
}

TEST_CASE("jetstream info: the members around configuration and state") {
  stream_config config;
  config.name = "S";
  stream_info info;
  info.config = &config;
  info.created_ns = 1;
  info.now_ns = 2;
  auto members = info_members(info);
  CHECK(members.starts_with(R"("config":{"name":"S",)"));
  CHECK(members.find(R"("_nats.level")") != std::string::npos);
  CHECK(members.find(R"(,"created":"1970-01-01T00:00:00.000000001Z","state":{"messages":0,)") !=
        std::string::npos);
  CHECK(members.ends_with(R"("consumer_count":0},"ts":"1970-01-01T00:00:00.000000002Z")"));
  info.domain = "hub";
  info.leader = "N";
  info.server_metadata = false;
  members = info_members(info);
  CHECK(members.find(R"(},"domain":"hub","cluster":{"leader":"N"},"ts":)") != std::string::npos);
  CHECK(members.find(R"("_nats.level")") == std::string::npos);
}

TEST_CASE("jetstream subjects: two streams meet where a subject is stored by both") {
  using list = std::vector<std::string>;
  CHECK(subjects_overlap(list{"a", "b"}, list{"c", "b"}));
  CHECK(!subjects_overlap(list{"a", "b"}, list{"c", "d"}));
  CHECK(subjects_overlap(list{"a.*"}, list{"x", "a.b"}));
  CHECK(subjects_overlap(list{"a.b"}, list{"x", "a.*"}));
  CHECK(subjects_overlap(list{"a.*"}, list{"*.b"}));
  CHECK(!subjects_overlap(list{"a.*"}, list{"b.*", "a", "a.b.c"}));
}

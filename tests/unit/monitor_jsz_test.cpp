#include "actors/monitor/healthz.hpp"
#include "actors/monitor/jsz.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace vagus;
using namespace std::chrono_literals;
using json = nlohmann::json;

// The shapes are those that nats-server 2.15 gives for the same two streams.

namespace {

const std::chrono::system_clock::time_point now{1'700'000'000s};

jetstream_view two_streams() {
  jetstream_view v;
  v.enabled = true;
  v.max_memory = 1000;
  v.max_storage = 2000;
  v.store_dir = "d/jetstream";
  v.default_max_consumers = 1000;
  v.api_level = 1;
  v.usage = {22, 114, 100000, 0, 3, 1};
  v.streams = 2;
  v.consumers = 1;
  v.messages = 4;
  v.bytes = 136;
  stream_view b{"B", "2026-01-01T00:00:00Z", R"({"name":"B"})", R"({"messages":1})", {}, {}, {},
                {}};
  stream_view a{"A",
                "2026-01-01T00:00:00Z",
                R"({"name":"A","subjects":["a.>"]})",
                R"({"messages":3})",
                {},
                {},
                {{"c", R"({"name":"c","num_pending":3})"}},
                {}};
  v.accounts = {{"$G", {22, 114, 100000, 0, 3, 1}, {b, a}}};
  return v;
}

json jsz(std::string_view query, const jetstream_view& view = two_streams()) {
  parameters p{query};
  auto wanted = jsz_options::read(p);
  REQUIRE(p.error().empty());
  return json::parse(render_jsz(wanted, view, "NA", now));
}

std::string health(std::string_view query, const jetstream_view& view = two_streams()) {
  parameters p{query};
  auto answer = healthz(p, true, &view);
  return std::to_string(answer.status) + " " + answer.body;
}

}  // namespace

TEST_CASE("jsz: what there is, and what it was started with") {
  CHECK(jsz("") == json::parse(R"({
    "memory": 22, "storage": 114, "reserved_memory": 100000, "reserved_storage": 0, "accounts": 1,
    "ha_assets": 0, "api": {"level": 1, "total": 3, "errors": 1}, "server_id": "NA",
    "now": "2023-11-14T22:13:20Z",
    "config": {"max_memory": 1000, "max_storage": 2000, "store_dir": "d/jetstream",
               "sync_always": true, "strict": true},
    "limits": {"default_max_consumers": 1000},
    "streams": 2, "consumers": 1, "messages": 4, "bytes": 136, "total": 1})"));
}

TEST_CASE("jsz: configuration and limits where they are set") {
  auto view = two_streams();
  view.sync_interval = 2min;
  view.domain = "hub";
  view.strict = false;
  view.max_ack_pending = 5;
  view.max_request_batch = 7;
  view.max_duplicate_window = 1min;
  CHECK(jsz("", view)["config"] == json({{"max_memory", 1000},
                                         {"max_storage", 2000},
                                         {"store_dir", "d/jetstream"},
                                         {"sync_interval", 120'000'000'000},
                                         {"domain", "hub"}}));
  CHECK(jsz("", view)["limits"] == json({{"max_request_batch", 7},
                                         {"max_ack_pending", 5},
                                         {"max_duplicate_window", 60'000'000'000},
                                         {"default_max_consumers", 1000}}));
}

TEST_CASE("jsz: accounts, alone and by name") {
  auto account = jsz("accounts=1")["account_details"][0];
  CHECK(account["name"] == "$G");
  CHECK(account["id"] == "$G");
  CHECK(account["reserved_memory"] == UINT64_MAX);
  CHECK(account["api"] == json({{"level", 0}, {"total", 3}, {"errors", 1}}));
  CHECK_FALSE(account.contains("stream_detail"));
  CHECK(jsz("acc=$G")["account_details"].size() == 1);
  CHECK_FALSE(jsz("acc=nope").contains("account_details"));
  CHECK_FALSE(jsz("acc=nope&streams=1").contains("account_details"));
}

TEST_CASE("jsz: accounts come by name, a page at a time") {
  auto view = two_streams();
  view.accounts = {{"c", {}, {}}, {"a", {}, {}}, {"b", {}, {}}};
  auto names = [&](std::string_view query) {
    std::string result;
    auto answer = jsz(query, view);
    CHECK(answer["total"] == 3);
    if (answer.contains("account_details"))
      for (auto& x : answer["account_details"]) result += x["name"];
    return result;
  };
  CHECK(names("accounts=1") == "abc");
  CHECK(names("accounts=1&limit=2") == "ab");
  CHECK(names("accounts=1&limit=2&offset=2") == "c");
  CHECK(names("accounts=1&offset=5") == "");
  CHECK(names("accounts=1&offset=-5&limit=0") == "abc");
}

TEST_CASE("jsz: streams by name, with configurations and consumers if asked for") {
  auto streams = jsz("streams=1")["account_details"][0]["stream_detail"];
  CHECK(streams[0] == json({{"name", "A"},
                            {"created", "2026-01-01T00:00:00Z"},
                            {"cluster", {{"leader", "NA"}}},
                            {"state", {{"messages", 3}}}}));
  CHECK(streams[1]["name"] == "B");
  auto all = jsz("consumers=1&config=1")["account_details"][0]["stream_detail"];
  CHECK(all[0]["config"] == json({{"name", "A"}, {"subjects", {"a.>"}}}));
  CHECK(all[0]["consumer_detail"] == json::array({{{"name", "c"}, {"num_pending", 3}}}));
  CHECK_FALSE(all[1].contains("consumer_detail"));
  CHECK(jsz("acc=$G&streams=1")["account_details"][0]["stream_detail"].size() == 2);
}

TEST_CASE("jsz: leaders are counted with raft, and this server leads everything") {
  CHECK(jsz("raft=1")["streams_leader"] == 2);
  CHECK(jsz("raft=1")["consumers_leader"] == 1);
  CHECK(jsz("leader-only=1&stream-leader-only=1&streams=1")["streams"] == 2);
}

TEST_CASE("jsz: switched off") {
  auto answer = jsz("streams=1", {});
  CHECK(answer["disabled"] == true);
  CHECK(answer["config"] == json({{"max_memory", 0}, {"max_storage", 0}}));
  CHECK_FALSE(answer.contains("limits"));
  CHECK_FALSE(answer.contains("account_details"));
  CHECK(answer["total"] == 0);
}

TEST_CASE("jsz: a parameter that cannot be read is refused") {
  parameters p{"limit=x"};
  jsz_options::read(p);
  CHECK(p.error() == "Error decoding int for 'limit': strconv.Atoi: parsing \"x\": invalid syntax");
}

TEST_CASE("varz: jetstream has config, stats and limits, or nothing") {
  json_writer on;
  auto view = two_streams();
  render_varz_jetstream(on, &view);
  auto full = json::parse(on.take());
  CHECK(full["stats"]["memory"] == 22);
  CHECK(full["config"]["store_dir"] == "d/jetstream");
  CHECK(full["limits"]["default_max_consumers"] == 1000);
  json_writer off;
  render_varz_jetstream(off, nullptr);
  CHECK(off.take() == "{}");
}

TEST_CASE("healthz: accounts, streams and consumers that are asked for must be there") {
  for (auto query : {"", "js-enabled-only=1", "js-server-only=1", "js-meta-only=true", "account=$G",
                     "account=$G&stream=A", "account=$G&stream=A&consumer=c"})
    CHECK(health(query) == R"(200 {"status":"ok"})");
  CHECK(health("account=x") ==
        R"(404 {"status":"unavailable","error":"JetStream account \"x\" not found"})");
  CHECK(health("account=$G&stream=Z") ==
        R"(404 {"status":"unavailable","error":"JetStream stream \"Z\" not found on )"
        R"(account \"$G\""})");
  CHECK(
      health("account=$G&stream=A&consumer=z") ==
      R"(404 {"status":"unavailable","error":"JetStream consumer \"z\" not found for stream \"A\" )"
      R"(on account \"$G\""})");
  CHECK(health("account=$G&stream=Z&details=1") ==
        R"(404 {"status":"error","errors":[{"type":"STREAM","account":"$G","stream":"Z",)"
        R"("error":"JetStream stream \"Z\" not found on account \"$G\""}]})");
}

TEST_CASE("healthz: JetStream that does not work is unavailable, one that is off is no trouble") {
  auto view = two_streams();
  view.problem = "JetStream not enabled";
  CHECK(health("js-server-only=1", view) == R"(200 {"status":"ok"})");
  CHECK(health("js-enabled-only=1&account=x") == R"(200 {"status":"ok"})");
  CHECK(health("", view) == R"(503 {"status":"unavailable","error":"JetStream not enabled"})");
  parameters p{"account=$G&stream=A"};
  CHECK(healthz(p, true).status == 200);
}

#include <catch2/catch.hpp>

#include "actors/monitor/connz.hpp"
#include "actors/monitor/healthz.hpp"
#include "actors/monitor/json_writer.hpp"
#include "actors/monitor/subsz.hpp"
#include "actors/monitor/texts.hpp"

using namespace vagus;
using namespace std::chrono_literals;

namespace {

std::string connz_error(std::string_view query) {
  parameters p{query};
  connz_options::read(p);
  return p.error();
}

}  // namespace

TEST_CASE("monitor parameters: a query is decoded, and the first of a name counts") {
  parameters p{"a=1&b=x%20y+z&a=2&c&=d&e=%zz&f=1;g=2&h=%41"};
  CHECK(p.text("a") == "1");
  CHECK(p.text("b") == "x y z");
  CHECK(p.text("c").empty());
  CHECK(p.text("e").empty());
  CHECK(p.text("f").empty());
  CHECK(p.text("h") == "A");
  CHECK(p.text("i").empty());
  CHECK(parameters{"%"}.text("%").empty());
  CHECK(parameters{"a=%4"}.text("a").empty());
}

TEST_CASE("monitor parameters: a target is split into path and query") {
  CHECK(split("/connz?a=b?c").path == "/connz");
  CHECK(split("/connz?a=b?c").query == "a=b?c");
  CHECK(split("/%76arz").path == "/varz");
  CHECK(split("/varz").query.empty());
  CHECK(split("/%v").path.empty());
}

TEST_CASE("monitor parameters: numbers and flags are read as Go reads them") {
  parameters p{"n=-5&m=%2B3&t=T&f=False&u=18446744073709551615&e="};
  CHECK(p.integer("n") == -5);
  CHECK(p.integer("m") == 3);
  CHECK(p.integer("e") == 0);
  CHECK(p.flag("t"));
  CHECK_FALSE(p.flag("f"));
  CHECK(p.number("u") == UINT64_MAX);
  CHECK(p.error().empty());
}

TEST_CASE("monitor parameters: what cannot be read is an error in the words of nats-server") {
  CHECK(connz_error("subs=x") ==
        "Error decoding boolean for 'subs': strconv.ParseBool: parsing \"x\": invalid syntax");
  CHECK(connz_error("limit=3x") ==
        "Error decoding int for 'limit': strconv.Atoi: parsing \"3x\": invalid syntax");
  CHECK(connz_error("offset=99999999999999999999") ==
        "Error decoding int for 'offset': strconv.Atoi: parsing \"99999999999999999999\": value "
        "out of range");
  CHECK(connz_error("cid=-1") ==
        "Error decoding uint64 for 'cid': strconv.ParseUint: parsing \"-1\": invalid syntax");
  CHECK(connz_error("limit=%2B-3") ==
        "Error decoding int for 'limit': strconv.Atoi: parsing \"+-3\": invalid syntax");
  CHECK(connz_error("state=bogus") == "Error decoding state for bogus");
  CHECK(connz_error("sort=bogus") == "invalid sorting option: bogus");
  CHECK(connz_error("sort=stop&state=all") == "sort by stop only valid on closed connections");
  CHECK(connz_error("sort=reason&state=closed").empty());
  CHECK(connz_error("sort=bogus&auth=x").substr(0, 22) == "Error decoding boolean");
}

TEST_CASE("monitor parameters: connz has nats-server's defaults") {
  parameters p{"subs=DETAIL&limit=-1&offset=-1&state=ANY"};
  auto o = connz_options::read(p);
  CHECK(o.subs_detail);
  CHECK_FALSE(o.subs);
  CHECK(o.limit == 1024);
  CHECK(o.offset == 0);
  CHECK(o.state == connz_options::connection_state::all);
  CHECK(p.error().empty());
}

TEST_CASE("monitor parameters: subsz tests only what can be published to") {
  parameters p{"test=foo.*"};
  subsz_options::read(p);
  CHECK(p.error() == "invalid test subject, must be valid publish subject: foo.*");
}

TEST_CASE("healthz: unavailable while clients cannot connect, and says why as it is asked") {
  auto ask = [](std::string_view query, bool accepting) {
    parameters p{query};
    return healthz(p, accepting);
  };
  CHECK(ask("", true).body == R"({"status":"ok"})");
  CHECK(ask("", true).status == 200);
  CHECK(ask("", false).status == 500);
  CHECK(ask("", false).body ==
        R"({"status":"error","error":"failed to be ready for connections after 1ms: server"})");
  CHECK(ask("details=1&consumer=c", true).body ==
        R"({"status":"error","errors":[{"type":"BAD_REQUEST",)"
        R"("error":"\"stream\" must not be empty when checking consumer health"}]})");
  CHECK(ask("stream=s", true).status == 400);
  CHECK(ask("details=maybe", true).status == 400);
}

TEST_CASE("monitor texts: uptime in whole seconds, with the units that there are") {
  CHECK(uptime_text(0s) == "0s");
  CHECK(uptime_text(-1s) == "0s");
  CHECK(uptime_text(59900ms) == "59s");
  CHECK(uptime_text(62s) == "1m2s");
  CHECK(uptime_text(1h) == "1h0m0s");
  CHECK(uptime_text(25h + 3s) == "1d1h0m3s");
  CHECK(uptime_text(24h * 366 + 5min) == "1y1d0h5m0s");
}

TEST_CASE("monitor texts: round trip times and points in time") {
  CHECK(rtt_text(0ns) == "0s");
  CHECK(rtt_text(123456ns) == "123\u00b5s");
  CHECK(rtt_text(1234567ns) == "1.234567ms");
  CHECK(time_text(wall_time{}) == "1970-01-01T00:00:00Z");
  CHECK(time_text(wall_time{1700000000s + 120ms}) == "2023-11-14T22:13:20.12Z");
  CHECK(time_text(wall_time{1700000000s + 1ns}) == "2023-11-14T22:13:20.000000001Z");
}

TEST_CASE("monitor JSON: two spaces to a level, and empty brackets on one line") {
  json_writer out;
  out.begin_object().member("a", 1).key("b").begin_array().value("x").value(true).end_array();
  out.key("c").begin_object().end_object().optional("d", 0).member("e", 1.5);
  CHECK(out.end_object().take() ==
        "{\n  \"a\": 1,\n  \"b\": [\n    \"x\",\n    true\n  ],\n  \"c\": {},\n  \"e\": 1.5\n}");
}

TEST_CASE("monitor JSON: any bytes make a valid string") {
  CHECK(json_quoted("a\"\\\n") == R"("a\"\\\n")");
  CHECK(json_quoted("\xff") == "\"\xef\xbf\xbd\"");
}

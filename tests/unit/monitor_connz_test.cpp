#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "actors/monitor/connz.hpp"
#include "actors/monitor/subsz.hpp"

using namespace vagus;
using namespace std::chrono_literals;

namespace {

const wall_time now{1'700'000'000s};

connection_record_ptr connection(uint64_t cid, std::chrono::seconds age = 10s) {
  auto r = std::make_shared<connection_record>();
  r->client_id = cid;
  r->ip = "127.0.0.1";
  r->account = "$G";
  r->start = now - age;
  r->traffic = endpoint_ptr{new endpoint{cid, 1}};
  return r;
}

connection_record_ptr closed(uint64_t cid, closed_reason reason, std::chrono::seconds ago) {
  auto r = connection(cid, ago + 10s);
  r->reason = reason;
  r->stop = now - ago;
  r->ended = true;
  return r;
}

/// The cids that `query` gives, in order.
std::vector<uint64_t> cids(std::string_view query, const connections_view& view) {
  parameters p{query};
  auto wanted = connz_options::read(p);
  REQUIRE(p.error().empty());
  std::vector<uint64_t> out;
  for (const auto& r : select(wanted, view, now).rows) out.push_back(r->client_id);
  return out;
}

using list = std::vector<uint64_t>;

/// The second connection is the biggest in everything, the third next.
connections_view three() {
  connections_view v{{connection(1, 30s), connection(2, 20s), connection(3, 10s)}, {}};
  for (auto [cid, n] : {std::pair{1, 1}, {2, 9}, {3, 5}}) {
    auto& r = *v.open[static_cast<size_t>(cid - 1)];
    auto& c = r.traffic->counters;
    for (auto* counter : {&c.in_msgs, &c.in_bytes, &c.out_msgs, &c.out_bytes}) *counter = n;
    r.subscriptions = n;
    r.traffic->pending = n;
    r.rtt_ns = n;
    r.last_activity_ns = std::chrono::nanoseconds{(now - 10s + n * 1s).time_since_epoch()}.count();
    r.describe({"", "", "", cid == 2 ? "alice" : "bob"});
  }
  return v;
}

}  // namespace

TEST_CASE("connz: sorted by cid, or the largest first") {
  auto view = three();
  CHECK(cids("", view) == list{1, 2, 3});
  CHECK(cids("sort=start", view) == list{1, 2, 3});
  for (auto key :
       {"subs", "pending", "msgs_to", "msgs_from", "bytes_to", "bytes_from", "last", "rtt"})
    CHECK(cids(std::string{"sort="} + key, view) == list{2, 3, 1});
  CHECK(cids("sort=idle", view) == list{1, 3, 2});
  CHECK(cids("sort=uptime", view) == list{3, 2, 1});
}

TEST_CASE("connz: equals are in the order of their cids") {
  connections_view view{{connection(1), connection(2), connection(3)}, {}};
  CHECK(cids("sort=subs", view) == list{1, 2, 3});
}

TEST_CASE("connz: closed connections by stop and reason") {
  connections_view view{{connection(9)},
                        {closed(1, closed_reason::write_error, 5s),
                         closed(2, closed_reason::client_closed, 9s),
                         closed(3, closed_reason::kicked, 1s)}};
  CHECK(cids("state=closed&sort=stop", view) == list{3, 1, 2});
  CHECK(cids("state=closed&sort=reason", view) == list{2, 3, 1});
  CHECK(cids("state=all", view) == list{1, 2, 3, 9});
  CHECK(cids("state=open", view) == list{9});
}

TEST_CASE("connz: a page is limit connections from offset") {
  auto view = three();
  CHECK(cids("limit=2", view) == list{1, 2});
  CHECK(cids("offset=2", view) == list{3});
  CHECK(cids("offset=1&limit=1", view) == list{2});
  CHECK(cids("offset=3", view).empty());
  CHECK(cids("offset=9223372036854775807&limit=9223372036854775807", view).empty());
}

TEST_CASE("connz: filters by cid, user and account; the total counts the state") {
  auto view = three();
  CHECK(cids("cid=3", view) == list{3});
  CHECK(cids("cid=7", view).empty());
  CHECK(cids("user=alice", view) == list{2});
  CHECK(cids("user=alice&cid=3", view) == list{3});
  CHECK(cids("acc=other", view).empty());
  CHECK(cids("acc=$G", view) == list{1, 2, 3});
  parameters p{"user=alice"};
  CHECK(select(connz_options::read(p), view, now).total == 3);
}

TEST_CASE("connz: a closed connection's time stands still") {
  connections_view view{{}, {closed(4, closed_reason::stale_connection, 60s)}};
  parameters p{"state=closed&auth=1"};
  auto wanted = connz_options::read(p);
  auto row = nlohmann::json::parse(
      render(wanted, select(wanted, view, now), "ID", now))["connections"][0];
  CHECK(row["uptime"] == "10s");
  CHECK(row["idle"] == "10s");
  CHECK(row["reason"] == "Stale Connection");
  CHECK(row["stop"] == "2023-11-14T22:12:20Z");
}

TEST_CASE("subsz: the list is a page over all connections, and the total counts all") {
  subscriptions_view two{{{"a", "", "1", 0, 0}, {"b", "q", "2", 7, 9}}, 2};
  subscriptions_view more{{{"c", "", "1", 0, 0}}, 5};
  found_subscriptions all{{connection(1), connection(2), connection(3)},
                          {std::make_shared<subscriptions_view>(two), nullptr,
                           std::make_shared<subscriptions_view>(more)}};
  parameters p{"subs=1&offset=1&limit=2"};
  auto json = nlohmann::json::parse(render(subsz_options::read(p), {}, all, "ID", now));
  CHECK(json["total"] == 7);
  REQUIRE(json["subscriptions_list"].size() == 2);
  CHECK(json["subscriptions_list"][0] ==
        nlohmann::json{{"account", "$G"}, {"account_tag", "$G"}, {"subject", "b"}, {"qgroup", "q"},
                       {"sid", "2"}, {"msgs", 7}, {"max", 9}, {"cid", 1}});
  CHECK(json["subscriptions_list"][1]["cid"] == 3);
}

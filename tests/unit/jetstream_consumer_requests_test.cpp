#include "actors/jetstream/consumer_requests.hpp"
#include "actors/jetstream/requests.hpp"
#include "recorded_answers.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <tuple>

using namespace vagus;

namespace {

constexpr int64_t ms = 1'000'000;

template <class T>
std::string answer(const std::string& text) {
  T request;
  auto error = read_json(text, true, request);
  return error ? to_json(*error) : "ok";
}

std::string answer(char request, const std::string& text) {
  if (request == 'N') {
    next_request next;
    auto problem = read_next_request(text, next);
    return problem.empty() ? "ok" : problem;
  }
  if (request == 'U') {
    consumer_unpin_request unpin;
    auto error = read_unpin_request(text, unpin);
    return error && error->is(js_errc::invalid_json) ? to_json(*error) : "ok";
  }
  if (request == 'C') return answer<consumer_request>(text);
  if (!is_json_body(text)) return "ok";
  return request == 'L' ? answer<consumers_request>(text) : answer<consumer_pause_request>(text);
}

next_request next(std::string_view body) {
  next_request request;
  REQUIRE(read_next_request(body, request).empty());
  return request;
}

}  // namespace

TEST_CASE("jetstream consumer requests: JSON is taken and refused as by the peer") {
  auto recorded = read_recorded_answers("jetstream/consumer_requests.txt");
  REQUIRE(recorded.size() > 250);
  for (const auto& r : recorded) {
    CAPTURE(r.kind, r.first);
    CHECK(answer(r.kind[0], r.first) == r.answer);
  }
}

TEST_CASE("jetstream consumer requests: a next request is empty, a number or JSON") {
  CHECK(next("").batch == 1);
  CHECK(next(" \n").batch == 1);
  CHECK(next(" 25\r\n").batch == 25);
  CHECK(next("+5").batch == 5);
  CHECK(next("-5").batch == -5);
  CHECK(next("x").batch == 1);
  CHECK(next("99999999999999999999").batch == 1);
  CHECK(!next("7").formal);
  auto all = next(R"({"expires":4000000,"batch":2,"max_bytes":3,"no_wait":true,
      "idle_heartbeat":2000000,"group":"g","min_pending":4,"min_ack_pending":5,"id":"i",
      "priority":6,"unknown":[]})");
  CHECK(all.expires == 4 * ms);
  CHECK(all.batch == 2);
  CHECK(all.max_bytes == 3);
  CHECK(all.no_wait);
  CHECK(all.idle_heartbeat == 2 * ms);
  CHECK(all.group == "g");
  CHECK(all.min_pending == 4);
  CHECK(all.min_ack_pending == 5);
  CHECK(all.id == "i");
  CHECK(all.priority == 6);
  CHECK(all.formal);
}

TEST_CASE("jetstream consumer requests: two heartbeats must fit before the request expires") {
  next_request request;
  CHECK(read_next_request(R"({"expires":2,"idle_heartbeat":1})", request).empty());
  for (auto body : {R"({"expires":3,"idle_heartbeat":2})", R"({"idle_heartbeat":1})",
                    R"({"expires":1,"idle_heartbeat":9223372036854775807})"})
    CHECK(read_next_request(body, request) == "heartbeat value too large");
}

TEST_CASE("jetstream consumer requests: kinds of acknowledgements") {
  for (auto payload : {"", "+ACK", "+OK"}) CHECK(read_ack_body(payload).kind == ack_kind::ack);
  CHECK(read_ack_body("+WPI").kind == ack_kind::in_progress);
  for (auto payload : {"+ACK ", "ack", "+WPI x", "+T", " "})
    CHECK(read_ack_body(payload).kind == ack_kind::unknown);
  auto term = read_ack_body("+TERM  bad data ");
  CHECK(term.kind == ack_kind::term);
  CHECK(term.reason == "bad data");
  CHECK(read_ack_body("+TERM").reason.empty());
  CHECK(read_ack_body("+NXT").kind == ack_kind::next);
  CHECK(read_ack_body("+NXT 5").next == " 5");
}

TEST_CASE("jetstream consumer requests: a nak may say how long to wait") {
  CHECK(read_ack_body("-NAK").kind == ack_kind::nak);
  CHECK(!read_ack_body("-NAK").delay_ns);
  CHECK(read_ack_body("-NAK 5s").delay_ns == 5000 * ms);
  CHECK(read_ack_body("-NAK1m30s").delay_ns == 90'000 * ms);
  CHECK(read_ack_body(R"(-NAK {"delay":7})").delay_ns == 7);
  CHECK(read_ack_body("-NAK {}").delay_ns == 0);
  for (auto payload : {"-NAK soon", "-NAK 5", R"(-NAK {"delay":"x"})"}) {
    auto body = read_ack_body(payload);
    CHECK(body.kind == ack_kind::nak);
    CHECK(!body.delay_ns);
    CHECK(body.bad_delay == std::string_view{payload}.substr(5));
  }
}

TEST_CASE("jetstream consumer requests: durations as Go reads them") {
  CHECK(parse_go_duration("0") == 0);
  CHECK(parse_go_duration("1h2m3.5s") == 3'723'500 * ms);
  CHECK(parse_go_duration("-.5ms") == -ms / 2);
  CHECK(parse_go_duration("1us2µs3μs4ns") == 6'004);
  for (auto text : {"", "5", "s", ".s", "5x", "1s 2s", "--1s", "9999999999999h", "1.2.3s"})
    CHECK(!parse_go_duration(text));
  CHECK(parse_go_duration("9223372036.854775807s") == INT64_MAX);
  CHECK(!parse_go_duration("9223372036.854775808s"));
  CHECK(!parse_go_duration("2562047h47.99m"));
}

TEST_CASE("jetstream consumer requests: subjects without domain and account") {
  CHECK(short_consumer_subject("$JS.ACK._.hash.S.c.2.30.4.5.6") == "$JS.ACK.S.c.2.30.4.5.6");
  CHECK(short_consumer_subject("$JS.ACK.hub.hash.S.c.1.2.3.4.5.x.y") == "$JS.ACK.S.c.1.2.3.4.5");
  CHECK(short_consumer_subject("$JS.FC.hub.hash.S.c.abc") == "$JS.FC.S.c.abc");
}

TEST_CASE("jetstream consumer requests: both forms of a delivery's reply subject") {
  for (auto text : {"$JS.ACK.S.c.2.30.4.5.6", "$JS.ACK._.hash.S.c.2.30.4.5.6",
                    "$JS.ACK.hub.hash.S.c.2.30.4.5.6.token"}) {
    auto ack = read_ack_subject(text);
    REQUIRE(ack);
    CHECK(ack->stream == "S");
    CHECK(ack->consumer == "c");
    CHECK(ack->deliveries == 2);
    CHECK(ack->stream_seq == 30);
    CHECK(ack->consumer_seq == 4);
    CHECK(ack->time_ns == 5);
    CHECK(ack->pending == 6);
  }
  for (auto text : {"$JS.ACK.S.c.2.30.4.5", "$JS.ACK.x.S.c.2.30.4.5.6", "$JS.FC.S.c.2.30.4.5.6",
                    "$JS.ACK.S.c.2.x.4.5.6", "$JS.ACK.S.c.2.-3.4.5.6", "$JS.ACK.S.c.2..4.5.6",
                    "$JS.ACK.S.c.2.99999999999999999999.4.5.6", ""})
    CHECK(!read_ack_subject(text));
}

TEST_CASE("jetstream consumer requests: a reply subject's numbers that are none are the largest") {
  constexpr auto largest = UINT64_MAX;
  auto numbers = [](const char* text) {
    auto ack = read_ack_subject(text);
    REQUIRE(ack);
    return std::tuple{ack->deliveries, ack->stream_seq, ack->consumer_seq};
  };
  CHECK(numbers("$JS.ACK.S.c.x.30.-4.y.z") == std::tuple{largest, 30u, largest});
  CHECK(numbers("$JS.ACK.S.c.0.30.0.0.0") == std::tuple{largest, 30u, largest});
  CHECK(numbers("$JS.ACK.S.c.1e3.030.99999999999999999999..") == std::tuple{largest, 30u, largest});
}

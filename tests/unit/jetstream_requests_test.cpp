#include "actors/jetstream/requests.hpp"
#include "recorded_answers.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace vagus;

namespace {

template <class T>
std::string reading(const std::string& text, bool strict = true) {
  T request;
  auto error = read_json(text, strict, request);
  return error ? to_json(*error) : "ok";
}

std::string reading(char request, const std::string& text) {
  switch (request) {
    case 'I':
      return reading<stream_info_request>(text);
    case 'N':
      return reading<stream_names_request>(text);
    case 'L':
      return reading<stream_list_request>(text);
    case 'P':
      return reading<stream_purge_request>(text);
    case 'G':
      return reading<msg_get_request>(text);
    case 'D':
      return reading<msg_delete_request>(text);
    case 'S':
      return reading<stream_snapshot_request>(text);
    case 'T':
      return reading<stream_restore_request>(text);
    case 'c':
      return reading<stream_request>(text, false);
    default:
      return reading<stream_request>(text);
  }
}

template <class T>
T read(const std::string& text) {
  T request;
  auto error = read_json(text, true, request);
  CAPTURE(text, error ? error->description : "");
  REQUIRE(!error);
  return request;
}

std::string problem(const std::string& text) {
  stream_request request;
  auto error = read_json(text, true, request);
  return error ? error->description : "";
}

}  // namespace

TEST_CASE("jetstream requests: JSON is taken and refused as by the peer") {
  auto recorded = read_recorded_answers("jetstream/requests.txt");
  REQUIRE(recorded.size() > 400);
  for (const auto& r : recorded) {
    CAPTURE(r.kind, r.first);
    CHECK(reading(r.kind[0], r.first) == r.answer);
  }
}

TEST_CASE("jetstream requests: every member is read") {
  auto get = read<msg_get_request>(
      R"({"seq":1,"last_by_subj":"a","next_by_subj":"b","batch":2,"max_bytes":3,
        "start_time":"1970-01-01T00:00:01Z","multi_last":["c","d"],"up_to_seq":4,
        "up_to_time":"1970-01-01T01:00:00.000000002+01:00","no_hdr":true})");
  CHECK(get.seq == 1);
  CHECK(get.last_by_subj == "a");
  CHECK(get.next_by_subj == "b");
  CHECK(get.batch == 2);
  CHECK(get.max_bytes == 3);
  CHECK(get.start_time == 1'000'000'000);
  CHECK(get.multi_last == std::vector<std::string>{"c", "d"});
  CHECK(get.up_to_seq == 4);
  CHECK(get.up_to_time == 2);
  CHECK(get.no_hdr);

  auto purge = read<stream_purge_request>(R"({"seq":18446744073709551615,"filter":"a","keep":2})");
  CHECK(purge.seq == UINT64_MAX);
  CHECK(purge.filter == "a");
  CHECK(purge.keep == 2);

  auto info = read<stream_info_request>(R"({"offset":3,"deleted_details":true,
                                            "subjects_filter":">"})");
  CHECK(info.offset == 3);
  CHECK(info.deleted_details);
  CHECK(info.subjects_filter == ">");

  auto snapshot = read<stream_snapshot_request>(
      R"({"deliver_subject":"x","no_consumers":true,"chunk_size":1,"window_size":2,"jsck":true})");
  CHECK(snapshot.deliver_subject == "x");
  CHECK(snapshot.no_consumers);
  CHECK(snapshot.chunk_size == 1);
  CHECK(snapshot.window_size == 2);
  CHECK(snapshot.jsck);

  auto restore = read<stream_restore_request>(
      R"({"config":{"name":"S"},"state":{"messages":1,"bytes":2,"first_seq":3,"last_seq":4,
        "first_ts":"0001-01-01T00:00:00Z","subjects":{"a":5},"deleted":[6,7],
        "lost":{"msgs":[8],"bytes":9},"consumer_count":10}})");
  CHECK(restore.config.name == "S");
  CHECK(restore.state.messages == 1);
  CHECK(restore.state.last_seq == 4);
  CHECK(restore.state.subjects.at("a") == 5);
  CHECK(restore.state.deleted == std::vector<uint64_t>{6, 7});
  CHECK(restore.state.lost->bytes == 9);
  CHECK(restore.state.consumer_count == 10);
}

TEST_CASE("jetstream requests: what is not given stays as it was") {
  stream_purge_request purge{5, "a", 6};
  CHECK(!read_json("", true, purge));
  CHECK(!read_json(R"({"keep":7,"filter":null})", true, purge));
  CHECK(purge.seq == 5);
  CHECK(purge.filter == "a");
  CHECK(purge.keep == 7);
}

TEST_CASE("jetstream requests: bytes that are no UTF-8 become U+FFFD") {
  auto r = read<stream_request>(
      "{\"description\":\"a\xff"
      "b\xe2\x82\\ud800\\ud83d\\ude00\"}");
  CHECK(r.config.description ==
        "a\xef\xbf\xbd"
        "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x80");
}

TEST_CASE("jetstream requests: control characters are named") {
  CHECK(problem("{\"name\":\"a\nb\"}") ==
        R"(invalid JSON: invalid character '\n' in string at offset 11)");
  CHECK(problem(std::string(1, '\0')) ==
        R"(invalid JSON: invalid character '\x00' looking for beginning of value at offset 1)");
}

TEST_CASE("jetstream requests: a text of brackets ends at the depth that is allowed") {
  CHECK(problem(std::string(1'000'000, '[')) == "invalid JSON: exceeded max depth at offset 10001");
  CHECK(problem(R"({"a":)" + std::string(9'998, '[')) == "invalid JSON: unexpected EOF");
  std::string nested = std::string(9'999, '[') + std::string(9'999, ']');
  stream_request ignored;
  CHECK(!read_json(R"({"bogus":)" + nested + "}", false, ignored));
}

TEST_CASE("jetstream requests: small elements cannot fill the memory with structures") {
  std::string sources = R"({"name":"S","sources":[{})";
  for (int i = 0; i < 10'000; ++i) sources += ",{}";
  CHECK(problem(sources + "]}") == "invalid JSON: more than 10000 elements in sources");
}

TEST_CASE("jetstream: a request says nothing without bytes or with an object without members") {
  for (auto text : {"", "{}", "{ }", " {\r\n}\t"}) CHECK(is_empty_request(text));
  for (auto text : {"null", "[]", "{\"a\":1}", "{", "}", "{{}}", " ", "x"})
    CHECK_FALSE(is_empty_request(text));
}

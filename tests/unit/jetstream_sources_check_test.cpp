#include "actors/jetstream/requests.hpp"
#include "actors/jetstream/sources_check.hpp"
#include "actors/jetstream/stream_check.hpp"
#include "actors/jetstream/subjects_check.hpp"
#include "recorded_answers.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace vagus;

namespace {

/// The streams that there are.
class account {
public:
  void add(const stream_config& config) { streams_[config.name] = config; }
  void clear() { streams_.clear(); }

  stream_lookup lookup() const {
    return [this](std::string_view name) -> const stream_config* {
      auto at = streams_.find(name);
      return at == streams_.end() ? nullptr : &at->second;
    };
  }

  std::optional<api_error> check(stream_request& asked) const {
    if (auto e = check_create_request(asked.config)) return e;
    if (auto e = check_stream_config(asked.config, {}, asked.pedantic, lookup())) return e;
    return check_overlap(asked.config);
  }

  std::optional<api_error> check_update(const stream_config& old, stream_request& asked) const {
    if (auto e = check_stream_update(old, asked.config, {}, asked.pedantic, lookup())) return e;
    return check_overlap(asked.config);
  }

private:
  std::optional<api_error> check_overlap(const stream_config& config) const {
    for (const auto& [name, other] : streams_)
      if (name != config.name && subjects_overlap(config.subjects, other.subjects))
        return make_error(js_errc::stream_subject_overlap);
    return std::nullopt;
  }

  std::map<std::string, stream_config, std::less<>> streams_;
};

stream_request read(const std::string& json) {
  stream_request request;
  auto error = read_json(json, true, request);
  CAPTURE(json);
  REQUIRE(!error);
  return request;
}

std::string answer(const std::optional<api_error>& error, const stream_config& config) {
  return error ? to_json(*error) : to_json(config);
}

stream_config config_of(const std::string& json) {
  return read(json).config;
}

std::string text(const std::string& json, const account& in = {}) {
  auto asked = read(json);
  auto error = in.check(asked);
  return error ? error->description : "";
}

}  // namespace

TEST_CASE("jetstream sources: created and updated as by the peer") {
  auto recorded = read_recorded_answers("jetstream/sources.txt");
  REQUIRE(recorded.size() > 400);
  account streams;
  bool given = false;
  for (const auto& r : recorded) {
    CAPTURE(r.kind, r.first, r.then);
    if (r.kind == "given" && !given) streams.clear();  // other streams from here on
    given = r.kind == "given";
    auto asked = read(r.first);
    auto error = streams.check(asked);
    if (r.kind == "update") {
      REQUIRE(!error);
      auto next = read(r.then);
      CHECK(answer(streams.check_update(asked.config, next), next.config) == r.answer);
      continue;
    }
    CHECK(answer(error, asked.config) == r.answer);
    if (given && !error) streams.add(asked.config);
  }
}

TEST_CASE("jetstream sources: what is stored is read back the same") {
  for (const auto& r : read_recorded_answers("jetstream/sources.txt")) {
    if (r.answer.starts_with(R"({"code")")) continue;
    CAPTURE(r.answer);
    auto config = config_of(r.answer);
    CHECK(to_json(config) == r.answer);
    auto again = config;
    CHECK(!check_stream_config(again, {}, false));
    CHECK(again == config);
  }
}

TEST_CASE("jetstream sources: a filter that is no subject is refused in an update too") {
  auto old = config_of(R"({"name":"X","subjects":["x"]})");
  REQUIRE(!check_stream_config(old, {}, false));
  auto next = config_of(R"({"name":"X","sources":[{"name":"A","filter_subject":"a..b"}]})");
  auto error = check_stream_update(old, next, {}, false);
  REQUIRE(error);
  CHECK(error->description == "subject filter 'a..b' for the source: invalid subject");
}

TEST_CASE("jetstream sources: without a lookup nothing is known of other streams") {
  CHECK(text(R"({"name":"X","mirror":{"name":"A"},"max_msg_size":1})").empty());
  account streams;
  streams.add(config_of(R"({"name":"A","subjects":["a"],"max_msg_size":2})"));
  CHECK(text(R"({"name":"X","mirror":{"name":"A"},"max_msg_size":1})", streams) ==
        "stream mirror must have max message size >= source");
}

TEST_CASE("jetstream sources: a mirror takes over whether direct gets are allowed") {
  account streams;
  streams.add(config_of(R"({"name":"A","allow_direct":true})"));
  streams.add(config_of(R"({"name":"B"})"));
  auto made_direct = [&](const std::string& origin) {
    auto config =
        config_of(R"({"name":"X","mirror_direct":false,"mirror":{"name":")" + origin + R"("}})");
    REQUIRE(!check_sources(config, streams.lookup(), false));
    return config.mirror_direct;
  };
  CHECK(made_direct("A"));
  CHECK(!made_direct("B"));
  CHECK(!made_direct("C"));
}

TEST_CASE("jetstream sources: a long chain of streams is no cycle") {
  account streams;
  auto number = [](int n) { return std::to_string(n); };
  for (int i = 1; i < 2000; ++i)
    streams.add(config_of(R"({"name":"S)" + number(i) + R"(","sources":[{"name":"S)" +
                          number(i + 1) + R"("}]})"));
  constexpr auto first = R"({"name":"S0","sources":[{"name":"S1"}]})";
  CHECK(text(first, streams).empty());
  streams.add(config_of(R"({"name":"S2000","mirror":{"name":"S0"}})"));
  CHECK(text(first, streams) == "detected cycle");
}

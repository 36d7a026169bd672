#include "actors/jetstream/consumer_check.hpp"
#include "actors/jetstream/requests.hpp"
#include "actors/jetstream/stream_check.hpp"
#include "recorded_answers.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <map>
#include <string>

using namespace vagus;

namespace {

constexpr int64_t second = 1'000'000'000;

stream_config stream_of(const std::string& json) {
  stream_config stream;
  REQUIRE(!read_json(json, true, stream));
  REQUIRE(!check_stream_config(stream, {}, false));
  return stream;
}

/// The streams for which answers were recorded.
stream_config recorded_stream(const std::string& kind) {
  std::map<std::string, std::string> members = {
      {"limits", R"("name":"L")"},
      {"workqueue", R"("name":"W","retention":"workqueue")"},
      {"interest", R"("name":"I","retention":"interest")"},
      {"bounded", R"("name":"B","max_consumers":2,
                     "consumer_limits":{"max_ack_pending":500,"inactive_threshold":10000000000})"},
  };
  return stream_of("{" + members.at(kind) + R"(,"subjects":["a.>","b"],"storage":"memory"})");
}

/// A stream and its consumers, as requests make them.
struct stream_under_test {
  stream_config stream;
  consumer_bounds bounds = {};
  std::map<std::string, consumer_config> consumers = {};

  /// `<subject after CONSUMER.> <body>`; the stored configuration or the error, as JSON.
  std::string ask(const std::string& line) {
    auto space = line.find(' ');
    auto subject_text = line.substr(0, space);
    consumer_request request;
    if (auto e = read_json(line.substr(space + 1), true, request)) return to_json(*e);
    auto subject = read_create_subject(subject_text);
    REQUIRE(subject);
    if (auto e = check_consumer_request(request, *subject)) return to_json(*e);
    auto& config = request.config;
    auto name = config.durable() ? config.durable_name : config.name;
    auto existing = name.empty() ? consumers.end() : consumers.find(name);
    bool exists = existing != consumers.end();
    if (exists) config.pause_until = existing->second.pause_until;
    if (auto e = check_consumer_config(config, stream, bounds, request.pedantic))
      return to_json(*e);
    std::vector<const consumer_config*> list;
    for (const auto& [other, c] : consumers)
      if (other != name && !c.direct) list.push_back(&c);
    other_consumers others{list.size(), list};
    auto e = exists ? check_consumer_update(existing->second, config, stream, request.action,
                                            others, false)
                    : check_new_consumer(config, stream, bounds, request.action, others);
    if (e) return to_json(*e);
    consumers[name.empty() ? "generated" : name] = config;
    return to_json(config);
  }
};

stream_under_test plain() {
  return {stream_of(R"({"name":"S","subjects":["a.>"]})")};
}

std::string text_of(const std::string& json) {
  auto from = json.find(R"("description":")");
  return from == std::string::npos ? json : json.substr(from + 15, json.size() - from - 17);
}

}  // namespace

TEST_CASE("jetstream consumer config: created and updated as by the peer") {
  auto recorded = read_recorded_answers("jetstream/consumers.txt");
  REQUIRE(recorded.size() > 300);
  for (const auto& r : recorded) {
    CAPTURE(r.kind, r.first, r.then);
    stream_under_test s{recorded_stream(r.kind)};
    auto answer = s.ask(r.first);
    if (!r.then.empty()) answer = s.ask(r.then);
    CHECK(answer == r.answer);
  }
}

TEST_CASE("jetstream consumer config: what is stored is read back the same") {
  for (const auto& r : read_recorded_answers("jetstream/consumers.txt")) {
    if (r.answer.starts_with(R"({"code")")) continue;
    consumer_config config;
    CAPTURE(r.answer);
    REQUIRE(!read_json(r.answer, true, config));
    CHECK(to_json(config) == r.answer);
    auto again = config;
    CHECK(!check_consumer_config(again, recorded_stream(r.kind), {}, false));
    CHECK(again == config);
  }
}

TEST_CASE("jetstream consumer config: the server's number of consumers holds where no other does") {
  auto s = plain();
  s.bounds.default_max_consumers = 2;
  auto add = [&s](const std::string& name) {
    return text_of(s.ask("CREATE.S." + name + R"( {"stream_name":"S","config":{}})"));
  };
  for (const auto* name : {"a", "b"}) CHECK(add(name).starts_with("{"));
  CHECK(add("c") == "maximum consumers limit reached");
  CHECK(add("b").starts_with("{"));
  s.stream.max_consumers = 3;
  CHECK(add("c").starts_with("{"));
  s.stream.max_consumers = -1;
  s.bounds.default_max_consumers = -1;
  CHECK(add("d").starts_with("{"));
}

TEST_CASE("jetstream consumer config: an answer carries version and level") {
  auto s = plain();
  s.ask(R"(CREATE.S.d {"stream_name":"S","config":{}})");
  CHECK(to_json(s.consumers.at("d"), true)
            .find(R"("metadata":{"_nats.level":"1","_nats.req.level":"0","_nats.ver":"2.)") !=
        std::string::npos);
}

TEST_CASE("jetstream consumer config: what vagus does not have is refused by name") {
  auto s = plain();
  CHECK(text_of(s.ask(R"(CREATE.S.d {"stream_name":"S","config":{"sourcing":true}})")) ==
        "sourcing is not supported by this server");
  CHECK(
      text_of(s.ask(R"(CREATE.S.d {"stream_name":"S","config":{"ack_policy":"flow_control"}})")) ==
      "ack_policy flow_control is not supported by this server");
}

TEST_CASE("jetstream consumer config: bounds of server and account") {
  auto s = plain();
  s.bounds = {100, 50, 10, 1};
  CHECK(s.ask(R"(CREATE.S.d {"stream_name":"S","config":{"ack_policy":"explicit"}})")
            .find(R"("max_ack_pending":50,"max_batch":10,)") != std::string::npos);
  auto asked = [&s](const std::string& member) {
    return text_of(
        s.ask(fmt::format(R"(CREATE.S.e {{"stream_name":"S","config":{{{}}}}})", member)));
  };
  CHECK(asked(R"("max_ack_pending":101)") ==
        "consumer max ack pending exceeds system limit of 100");
  CHECK(asked(R"("max_ack_pending":51)") == "consumer max ack pending exceeds system limit of 50");
  CHECK(asked(R"("max_batch":11)") == "consumer max request batch exceeds server limit of 10");
  CHECK(asked("") == "maximum consumers limit reached");
}

TEST_CASE("jetstream consumer config: a deliver subject that is in use does not change") {
  auto s = plain();
  s.ask(R"(CREATE.S.d {"stream_name":"S","config":{"deliver_subject":"x"}})");
  auto old = s.consumers.at("d");
  auto next = old;
  next.deliver_subject = "y";
  auto changed = next;
  CHECK(!check_consumer_update(old, changed, s.stream, consumer_action::update, {}, false));
  CHECK(check_consumer_update(old, next, s.stream, consumer_action::update, {}, true)
            ->is(js_errc::consumer_name_exist));
}

TEST_CASE("jetstream consumer config: only a pause sets and takes away pause_until") {
  auto s = plain();
  s.ask(R"(CREATE.S.d {"stream_name":"S","config":{}})");
  auto& config = s.consumers.at("d");
  CHECK(!config.paused(0));
  set_pause(config, 5 * second);
  CHECK(config.paused(5 * second - 1));
  CHECK(!config.paused(5 * second));
  CHECK(config.metadata.at("_nats.req.level") == "1");
  CHECK(s.ask(R"(CREATE.S.d {"stream_name":"S","config":{"description":"x"}})")
            .find(R"("pause_until":"1970-01-01T00:00:05Z")") != std::string::npos);
  set_pause(config, std::nullopt);
  CHECK(!config.pause_until);
  CHECK(config.metadata.at("_nats.req.level") == "0");
}

TEST_CASE("jetstream consumer config: many literal filters are fine, many patterns are not") {
  auto s = plain();
  auto asked = [&s](const std::string& shape, int count) {
    std::string filters;
    for (int i = 0; i < count; ++i)
      filters += fmt::format(R"({}"{}{}")", i == 0 ? "" : ",", shape, i);
    return text_of(s.ask(fmt::format(
        R"(CREATE.S.d {{"stream_name":"S","config":{{"filter_subjects":[{}]}}}})", filters)));
  };
  CHECK(asked("a.", 20'000).starts_with(R"({"name":"d")"));
  CHECK(asked("*.", 5'000) == "too many filter subjects with wildcards");
}

TEST_CASE("jetstream consumer config: subjects that nobody answers") {
  for (auto rest : {"CREATE", "DURABLE.CREATE.S", "DURABLE.CREATE.S.c.x", "DELETE.S.c", "DURABLE"})
    CHECK(!read_create_subject(rest));
  auto subject = read_create_subject("CREATE.S.c.a.>");
  REQUIRE(subject);
  CHECK(subject->form == create_form::named);
  CHECK(subject->stream == "S");
  CHECK(subject->consumer == "c");
  CHECK(subject->filter == "a.>");
}

TEST_CASE("jetstream consumer config: how many acknowledgements are reported") {
  consumer_config c;
  CHECK(c.sampled_percent() == 0);
  c.sample_freq = "30%";
  CHECK(c.sampled_percent() == 30);
  c.sample_freq = "+5";
  CHECK(c.sampled_percent() == 5);
}

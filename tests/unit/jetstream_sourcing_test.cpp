#include "actors/jetstream/publish_headers.hpp"
#include "jetstream_world.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

/// An origin `O` for `o.>`, and a stream `C` that copies it.
struct copying {
  jetstream_world w;
  asker c{w};
  std::string storage;

  explicit copying(std::string kind) : storage{std::move(kind)} {}

  nlohmann::json put(std::string_view verb, const std::string& stream, std::string_view more) {
    auto answer = c.api(fmt::format("STREAM.{}.{}", verb, stream),
                        fmt::format(R"({{"name":"{}","storage":"{}","allow_direct":true{}}})",
                                    stream, storage, more));
    w.advance(1s);
    return answer;
  }
  void origin(std::string_view more = {}) {
    REQUIRE(error_in(put("CREATE", "O", fmt::format(R"(,"subjects":["o.>"]{})", more))) == 0);
  }
  void copy(std::string_view more) { REQUIRE(error_in(put("CREATE", "C", more)) == 0); }
  void store(std::string_view subject, std::string_view payload, std::string_view headers = {}) {
    c.ask(subject, payload, headers);
    w.settle();
  }
  /// "sequence subject payload" of each message of a stream.
  std::vector<std::string> all(const std::string& stream = "C") {
    auto state = c.api("STREAM.INFO." + stream).at("state");
    std::vector<std::string> found;
    for (uint64_t seq = state.at("first_seq"); seq <= state.at("last_seq"); ++seq) {
      auto m = c.ask("$JS.API.DIRECT.GET." + stream, fmt::format(R"({{"seq":{}}})", seq));
      if (m.starts_with("NATS/1.0 404")) continue;
      found.push_back(fmt::format("{} {} {}", seq, find_header(m, "Nats-Subject"),
                                  m.substr(m.find("\r\n\r\n") + 4)));
    }
    return found;
  }
};

using list = std::vector<std::string>;

constexpr auto as_source = R"(,"sources":[{"name":"O"}])";
constexpr auto as_mirror = R"(,"mirror":{"name":"O"})";

}  // namespace

TEST_CASE("sourcing: an origin that is made anew under its old name is copied from its beginning") {
  copying s{GENERATE("memory", "file")};
  s.origin();
  s.copy(as_source);
  for (auto payload : {"a", "b"}) s.store("o.1", payload);
  CHECK(s.all() == list{"1 o.1 a", "2 o.1 b"});
  s.c.api("STREAM.DELETE.O");
  s.origin();
  for (auto payload : {"c", "d", "e"}) s.store("o.1", payload);
  s.w.advance(10s);
  CHECK(s.all() == list{"1 o.1 a", "2 o.1 b", "3 o.1 c", "4 o.1 d", "5 o.1 e"});
  if (s.storage == "memory") return;
  s.w.restart_jetstream();
  s.store("o.1", "f");
  s.w.advance(10s);
  CHECK(s.all().size() == 6);
}

TEST_CASE("sourcing: a roll-up of the origin is one here where roll-ups are allowed") {
  auto allowed = GENERATE(true, false);
  auto kind = GENERATE(as_source, as_mirror);
  copying s{"memory"};
  s.origin(R"(,"allow_rollup_hdrs":true)");
  s.copy(kind + std::string{allowed ? R"(,"allow_rollup_hdrs":true)" : ""});
  s.store("o.1", "a");
  s.store("o.2", "b");
  s.store("o.1", "c", header("Nats-Rollup", "sub"));
  CHECK(s.all() == (allowed ? list{"2 o.2 b", "3 o.1 c"} : list{"1 o.1 a", "2 o.2 b", "3 o.1 c"}));
  s.store("o.3", "d", header("Nats-Rollup", "all"));
  CHECK(s.all().size() == (allowed ? 1 : 4));
}

TEST_CASE("sourcing: the stream's own transform comes after the source's") {
  copying s{"memory"};
  s.origin();
  s.copy(R"(,"sources":[{"name":"O","subject_transforms":[{"src":"o.1","dest":"x.1"},)"
         R"({"src":"o.2","dest":"y.2"}]}],"subject_transform":{"src":"x.*","dest":"z.$1"})");
  s.store("o.1", "a");
  s.store("o.2", "b");
  CHECK(s.all() == list{"1 z.1 a", "2 y.2 b"});
}

TEST_CASE("sourcing: a mirror keeps to its limits, and to its origin's sequences") {
  copying s{GENERATE("memory", "file")};
  s.origin();
  s.copy(as_mirror + std::string{R"(,"max_msgs_per_subject":1)"});
  for (auto subject : {"o.1", "o.2", "o.1"}) s.store(subject, "x");
  s.c.api("STREAM.MSG.DELETE.O", R"({"seq":2})");
  s.store("o.3", "y");
  CHECK(s.all() == list{"2 o.2 x", "3 o.1 x", "4 o.3 y"});
}

TEST_CASE("sourcing: a sealed stream takes nothing") {
  auto kind = GENERATE(as_source, as_mirror);
  copying s{"memory"};
  s.origin();
  s.copy(kind);
  s.store("o.1", "a");
  s.put("UPDATE", "C", kind + std::string{R"(,"sealed":true)"});
  s.store("o.1", "b");
  s.w.advance(10s);
  CHECK(s.all() == list{"1 o.1 a"});
}

TEST_CASE("sourcing: what is refused is stored before all that came behind it") {
  auto kind = GENERATE(as_source, as_mirror);
  copying s{GENERATE("memory", "file")};
  s.origin();
  s.store("o.1", "a");
  s.store("o.1", std::string(200, 'b'));
  s.store("o.1", "c");
  s.copy(kind + std::string{R"(,"max_msg_size":100)"});
  s.w.advance(10s);
  CHECK(s.all() == list{"1 o.1 a"});
  const auto* member = kind == std::string_view{as_mirror} ? "mirror" : "sources";
  auto info = s.c.api("STREAM.INFO.C").at(member);
  CHECK((info.is_array() ? info[0] : info).at("lag") == 2);
  if (s.storage == "file") s.w.restart_jetstream();
  REQUIRE(error_in(s.put("UPDATE", "C", kind + std::string{R"(,"max_msg_size":1000)"})) == 0);
  s.w.advance(10s);
  INFO(s.c.api("STREAM.INFO.C").dump());
  CHECK(s.all() == list{"1 o.1 a", "2 o.1 " + std::string(200, 'b'), "3 o.1 c"});
}

TEST_CASE("sourcing: a consumer of a mirror knows how much is to come") {
  copying s{"memory"};
  s.origin();
  s.copy(R"(,"mirror":{"name":"O","filter_subject":"o.1"})");
  auto filter = GENERATE("o.1", ">");
  s.c.api("CONSUMER.CREATE.C.c",
          fmt::format(R"({{"stream_name":"C","config":{{"durable_name":"c",)"
                      R"("ack_policy":"explicit","max_ack_pending":1,"filter_subject":"{}"}}}})",
                      filter));
  s.c.tell("$JS.API.CONSUMER.MSG.NEXT.C.c", R"({"batch":5,"expires":60000000000})", {}, "R.9");
  for (auto subject : {"o.1", "o.2", "o.1", "o.2", "o.1"}) s.c.tell(subject, "x");
  s.w.settle();
  CHECK(s.c.messages().size() == 1);
  CHECK(s.c.api("CONSUMER.INFO.C.c").at("num_pending") == 2);
}

TEST_CASE("sourcing: a mirror answers direct gets for its origin when it has caught up") {
  copying s{"memory"};
  s.origin();
  s.store("o.1", "a");
  s.copy(as_mirror);
  s.put("CREATE", "F", R"(,"mirror":{"name":"O","filter_subject":"o.2"})");
  int own = 0, mirrored = 0;
  for (int i = 0; i < 60; ++i) {
    auto got = s.c.ask("$JS.API.DIRECT.GET.O.o.1");
    own += got.find("Nats-Stream: O\r\n") != std::string::npos;
    mirrored += got.find("Nats-Stream: C\r\n") != std::string::npos;
  }
  CHECK(own > 0);
  CHECK(mirrored > 0);
  CHECK(own + mirrored == 60);
  s.c.api("STREAM.DELETE.O");
  CHECK(s.c.ask("$JS.API.DIRECT.GET.O", R"({"seq":1})").find("Nats-Stream: C\r\n") !=
        std::string::npos);
  s.put("UPDATE", "C", R"(,"subjects":["o.>"])");
  CHECK(s.c.ask("$JS.API.DIRECT.GET.O", R"({"seq":1})").starts_with("NATS/1.0 503"));
}

TEST_CASE("sourcing: who copies is told what the stream calls itself, and what it no longer is") {
  copying s{"memory"};
  s.origin();
  auto ask = [&](std::string_view name, std::string_view identity) {
    return s.c.ask(fmt::format("$JS.API.CONSUMER.CREATE.O.{}", name),
                   fmt::format(R"({{"stream_name":"O","config":{{"name":"{}","direct":true,)"
                               R"("deliver_subject":"d","ack_policy":"none"}}}})",
                               name),
                   header("Nats-Stream-Identity", identity));
  };
  auto first = ask("a", "");
  const std::string head = "NATS/1.0\r\nNats-Stream-Identity: ";
  REQUIRE(first.starts_with(head));
  auto identity = first.substr(head.size(), 8);
  CHECK(ask("b", identity).starts_with(head));
  CHECK(error_in(ask("c", "another1")) == 10225);
}

TEST_CASE("sourcing: a mirror that becomes a stream of its own knows the ids of its messages") {
  copying s{"memory"};
  s.origin();
  s.copy(as_mirror + std::string{R"(,"duplicate_window":100000000000)"});
  s.store("o.1", "a", header("Nats-Msg-Id", "one"));
  s.put("UPDATE", "C", R"(,"subjects":["c.>"],"duplicate_window":100000000000)");
  CHECK(s.c.ask("c.1", "a", header("Nats-Msg-Id", "one")).find("duplicate") != std::string::npos);
}

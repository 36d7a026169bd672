#include "net/options/conf_parser.hpp"
#include "net/options/translate.hpp"

#include <catch2/catch.hpp>

using namespace vagus;
using namespace std::chrono_literals;

namespace {

struct translated {
  options opts;
  std::string errors;
  std::string warnings;
};

translated from(std::string_view text) {
  translated result;
  auto parsed = parse_conf(text, "f");
  REQUIRE_FALSE(parsed.error);
  translation work{result.opts, conf_language::nats_server, {}, {}, {}};
  translate(parsed.root, top_level_rules(), work);
  for (auto& x : work.errors) result.errors += to_string(x) + "\n";
  for (auto& x : work.warnings) result.warnings += to_string(x) + "\n";
  return result;
}

}  // namespace

TEST_CASE("options keys: listen and http take a port or an address") {
  CHECK(from("listen: 127.0.0.1:5000").opts.host == "127.0.0.1");
  CHECK(from("listen: \"[::1]:5000\"").opts.host == "::1");
  CHECK(from("listen: 5000").opts.port == 5000);
  CHECK(from("http: \"localhost:8222\"").opts.http_host == "localhost");
  CHECK(from("monitor_port: 8222").opts.http_port == 8222);
  for (auto text : {"listen: x", "listen: \"a:b\"", "listen: \"1:2:3\"", "listen: true",
                    "port: 70000", "port: x"})
    CHECK_FALSE(from(text).errors.empty());
}

TEST_CASE("options keys: any case, aliases, and the later key wins") {
  CHECK(from("PORT: 1").opts.port == 1);
  CHECK(from("net: h").opts.host == "h");
  CHECK(from("port: 1\nlisten: 2").opts.port == 2);
  CHECK(from("listen: 2\nport: 1").opts.port == 1);
}

TEST_CASE("options keys: durations are strings, old numbers are seconds and earn a warning") {
  CHECK(from("ping_interval: 5s").opts.ping_interval == 5s);
  auto old = from("ping_interval: 5");
  CHECK(old.opts.ping_interval == 5s);
  CHECK(old.warnings == "f:1:1: \"ping_interval\" should be a duration: \"5s\"\n");
  CHECK_FALSE(from("lame_duck_duration: 60").errors.empty());
  CHECK_FALSE(from("lame_duck_duration: 29s").errors.empty());
}

TEST_CASE("options keys: authorization takes a user or a token") {
  auto one = from("authorization { user: a, pass: b, timeout: 1.5 }").opts;
  CHECK(one.username == "a");
  CHECK(one.password == "b");
  CHECK(one.auth_timeout == 1500ms);
  CHECK(from("authorization { token: t, timeout: 3 }").opts.auth_timeout == 3s);
  CHECK(from("authorization { user: a, token: t }").errors ==
        "f:1:1: \"authorization\" cannot have both a user and a token\n");
  CHECK(from("authorization { users: [] }").errors ==
        "f:1:17: \"users\": vagus does not support this yet\n");
  CHECK(from("authorization { x: 1 }").errors == "f:1:17: unknown field \"x\"\n");
}

TEST_CASE("options keys: tags and metadata") {
  CHECK(from("server_tags: [a, b]").opts.server_tags == std::vector<std::string>{"a", "b"});
  CHECK(from("server_tags: [\" A \", a, \"\"]").opts.server_tags == std::vector<std::string>{"a"});
  CHECK(from("server_tags: a").opts.server_tags == std::vector<std::string>{"a"});
  CHECK(from("server_metadata {a: b}").opts.server_metadata.at("a") == "b");
  CHECK_FALSE(from("server_tags: [1]").errors.empty());
  CHECK_FALSE(from("server_metadata {a: 1}").errors.empty());
}

TEST_CASE("options keys: all errors are reported, in the order of the file") {
  CHECK(from("zzz: 1\nport: true\naaa: 2").errors ==
        "f:1:1: unknown field \"zzz\"\n"
        "f:2:1: \"port\" must be an integer, not a boolean\n"
        "f:3:1: unknown field \"aaa\"\n");
}

TEST_CASE("options keys: an unknown key is allowed where a variable uses it") {
  auto result = from("base: 4000\nport: $base");
  CHECK(result.errors.empty());
  CHECK(result.opts.port == 4000);
}

TEST_CASE("options keys: what vagus does not have is refused by name and place") {
  CHECK(from("\ncluster { port: 1 }").errors ==
        "f:2:1: \"cluster\": vagus does not support this yet\n");
  for (auto& rule : top_level_rules()) {
    if (rule.supported) continue;
    for (auto name : rule.names) {
      if (name.empty()) continue;
      INFO(name);
      CHECK(from(std::string{name} + ": \"x\"").errors.find("does not support") !=
            std::string::npos);
    }
  }
}

TEST_CASE("options keys: a switched-off feature need not exist") {
  for (auto text : {"prof_port: 0", "https_port: 0", "proxy_protocol: no", "ocsp: off",
                    "write_timeout: default", "write_timeout: close"})
    CHECK(from(text).errors.empty());
  CHECK_FALSE(from("write_timeout: retry").errors.empty());
}

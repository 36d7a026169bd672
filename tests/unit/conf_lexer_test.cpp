#include "net/options/conf_lexer.hpp"

#include <catch2/catch.hpp>

using namespace vagus;
using kind = conf_token_kind;

namespace {

conf_token scalar(std::string_view text) {
  return conf_lexer{text}.scalar();
}

void check(std::string_view text, kind expected, std::string_view value) {
  auto token = scalar(text);
  INFO(text);
  CHECK(token.kind == expected);
  CHECK(token.text == value);
}

}  // namespace

TEST_CASE("conf lexer: what a word is") {
  check("abc def", kind::string, "abc");
  check("YES", kind::boolean, "YES");
  check("\"yes\"", kind::string, "yes");
  check("$NAME,", kind::variable, "NAME");
  check("42]", kind::integer, "42");
  check("-5", kind::integer, "-5");
  check("64MB}", kind::integer, "64MB");
  check("1.5", kind::floating, "1.5");
  check("2026-01-31T12:00:00Z", kind::datetime, "2026-01-31T12:00:00Z");
}

TEST_CASE("conf lexer: what only begins like a number is a string") {
  check("10s", kind::string, "10s");
  check("5min", kind::string, "5min");
  check("127.0.0.1:4222", kind::string, "127.0.0.1:4222");
  check("4kids", kind::string, "4kids");
  check("12:30", kind::string, "12:30");
}

TEST_CASE("conf lexer: escapes work outside single quotes") {
  check(R"("a\tb\x41\"\\")", kind::string, "a\tbA\"\\");
  check(R"('a\tb')", kind::string, R"(a\tb)");
  check(R"(a\tb)", kind::string, "a\tb");
  check(R"(\x24NAME)", kind::string, "$NAME");
}

TEST_CASE("conf lexer: a block ends with a bracket on its own line") {
  check("( a ) b\n)\n", kind::string, " a ) b\n");
  check("(\n)", kind::string, "\n");
  CHECK(scalar("(a)").kind == kind::error);
}

TEST_CASE("conf lexer: what is wrong is an error") {
  for (auto text : {"\"abc", "'abc", R"("\q")", R"("\x4g")", "-", "-a", ".5", "1.", "1.k", "12-3",
                    "2026-01-31", "2026-02-30T00:00:00Z", "2026-01-31T24:00:00Z"}) {
    INFO(text);
    CHECK(scalar(text).kind == kind::error);
  }
}

TEST_CASE("conf lexer: keys end at white space or a separator") {
  CHECK(conf_lexer{"port: 1"}.key().text == "port");
  CHECK(conf_lexer{"port=1"}.key().text == "port");
  CHECK(conf_lexer{"port\xc2\xa0"
                   "1"}
            .key()
            .text == "port");
  CHECK(conf_lexer{"\"a b\": 1"}.key().text == "a b");
  CHECK(conf_lexer{"Include 'x'"}.key().kind == kind::include);
  CHECK(conf_lexer{"include: 'x'"}.key().kind == kind::key);
  CHECK(conf_lexer{": 1"}.key().kind == kind::error);
}

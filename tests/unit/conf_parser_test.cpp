#include "net/options/conf_parser.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <map>

using namespace vagus;

namespace {

using files = std::map<std::string, std::string>;

conf_context context(files environment, files readable = {}) {
  auto find = [](const files& from, std::string_view name) -> std::optional<std::string> {
    auto found = from.find(std::string{name});
    return found == from.end() ? std::nullopt : std::optional{found->second};
  };
  return {[=](std::string_view name) { return find(environment, name); },
          [=](const std::string& path) {
            auto text = find(readable, path);
            return file_text{text, text ? "" : "no such file"};
          },
          {}};
}

/// The tree as text, or the error.
std::string show(const conf_value& value) {
  struct visitor {
    std::string operator()(int64_t x) { return std::to_string(x); }
    std::string operator()(bool x) { return x ? "true" : "false"; }
    std::string operator()(double x) { return std::to_string(x); }
    std::string operator()(const std::string& x) { return fmt::format("'{}'", x); }
    std::string operator()(const conf_datetime& x) { return x.text; }
    std::string operator()(const conf_array& x) {
      std::vector<std::string> parts;
      for (auto& element : x) parts.push_back(show(element));
      return fmt::format("[{}]", fmt::join(parts, " "));
    }
    std::string operator()(const conf_map& x) {
      std::vector<std::string> parts;
      for (auto& [key, element] : x) parts.push_back(fmt::format("{}={}", key, show(element)));
      return fmt::format("{{{}}}", fmt::join(parts, " "));
    }
  };
  return std::visit(visitor{}, value.data);
}

std::string parse(std::string_view text, const conf_context& with = {}) {
  auto parsed = parse_conf(text, "main.conf", with);
  return parsed.error ? to_string(*parsed.error) : show(conf_value{std::move(parsed.root)});
}

bool fails(std::string_view text, const conf_context& with = {}) {
  return parse_conf(text, "main.conf", with).error.has_value();
}

}  // namespace

TEST_CASE("conf parser: three ways to write a key and its value") {
  for (auto text : {"port: 1", "port = 1", "port 1", "port:1", "\"port\": 1", "'port' 1",
                    "{port: 1}", "{\"port\": 1}", "port\n1", "port: 1;", "port: 1,", "port: 1 # c",
                    "port: 1 // c", "port: 1\n}\n", "{\nport: 1\n"})
    CHECK(parse(text) == "{port=1}");
}

TEST_CASE("conf parser: several values on one line need a separator") {
  CHECK(parse("a: 1, b: 2; c: 3") == "{a=1 b=2 c=3}");
  CHECK(fails("a: 1 b: 2"));
  CHECK(fails("m {a: 1 b: 2}"));
}

TEST_CASE("conf parser: maps and arrays take commas and lines") {
  CHECK(parse("m {a: 1, b 2\n c = 3; d: {}}") == "{m={a=1 b=2 c=3 d={}}}");
  CHECK(parse("l: [1,2,3]") == "{l=[1 2 3]}");
  CHECK(parse("l: [\n a # c\n b, // d\n {x: on}\n]") == "{l=['a' 'b' {x=true}]}");
  CHECK(parse("l: [a,]") == "{l=['a']}");
  for (auto text : {"l: [a,,b]", "l: [,a]", "l: [a", "l: [1 2]", "m {a: 1", "m {a}", "m {a: }",
                    "m {: 1}", "m {a: 1]"})
    CHECK(fails(text));
}

TEST_CASE("conf parser: a repeated key replaces the earlier one") {
  CHECK(parse("a: 1\na: 2") == "{a=2}");
}

TEST_CASE("conf parser: an error names file, line and column") {
  CHECK(parse("a: 1\n  b: $NOPE") ==
        "main.conf:2:6: variable \"$NOPE\" is neither a key above nor in the environment");
  CHECK(parse("a").starts_with("main.conf:1:1: "));
}

TEST_CASE("conf parser: variables come from the scopes around, then from the environment") {
  CHECK(parse("x: 1\na: $x") == "{a=1 x=1}");
  CHECK(parse("x: 1\nm {x: 2, a: $x}\nb: $x") == "{b=1 m={a=2 x=2} x=1}");
  CHECK(parse("l: [1 ]\nm: {a: [$l, $E]}", context({{"E", "[on]"}})) ==
        "{l=[1] m={a=[[1] [true]]}}");
  CHECK(parse("a: $E", context({{"E", "10MB"}})) == "{a=10485760}");
  CHECK(parse("a: $E", context({{"E", "$F"}, {"F", "\"x y\""}})) == "{a='x y'}");
  CHECK(fails("a: $x\nx: 1"));
}

TEST_CASE("conf parser: a variable that refers to itself is an error") {
  CHECK(fails("a: $E", context({{"E", "$F"}, {"F", "$E"}})));
  CHECK(fails("a: $a"));
}

TEST_CASE("conf parser: a bcrypt hash is no variable") {
  CHECK(parse("p: $2a$11$abc./d") == "{p='$2a$11$abc./d'}");
}

TEST_CASE("conf parser: a key that a variable used is marked") {
  auto parsed = parse_conf("x: 1\ny: 2\na: $x");
  CHECK(parsed.root.at("x").used_as_variable);
  CHECK_FALSE(parsed.root.at("y").used_as_variable);
}

TEST_CASE("conf parser: includes are relative to the file that has them") {
  auto with = context({}, {{"sub/a.conf", "include 'b.conf'\na: 1"}, {"sub/b.conf", "b: 2\n"}});
  CHECK(parse("include 'sub/a.conf'; c: 3", with) == "{a=1 b=2 c=3}");
  CHECK(parse("m { include sub/b.conf\n c: 3 }", with) == "{m={b=2 c=3}}");
  CHECK(parse("b: 1\ninclude \"sub/b.conf\"", with) == "{b=2}");
}

TEST_CASE("conf parser: an include that cannot be read, or reads itself, is an error") {
  CHECK(parse("include 'x'", context({})) == "main.conf:1:9: include \"x\": no such file");
  CHECK(fails("include 'x'"));
  CHECK(fails("include 'main.conf'", context({}, {{"main.conf", "include 'main.conf'"}})));
  auto cycle = context({}, {{"a", "include b"}, {"b", "include a"}});
  CHECK(parse("include a", cycle) ==
        "b:1:9: include \"a\": this file is already being read (included from a:1:9) (included "
        "from main.conf:1:9)");
}

TEST_CASE("conf parser: nesting is bounded, also through variables and includes") {
  auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK_FALSE(fails("a: " + nested(64)));
  CHECK(fails("a: " + nested(65)));
  CHECK(fails("a: " + std::string(1'000'000, '[')));
  CHECK(fails(std::string(1'000'000, '{')));
  CHECK(fails("a: " + nested(60) + "\nb: [[[[[$a]]]]]"));
  CHECK(fails("m {m {include f}}", context({}, {{"f", "a: " + nested(63)}})));
}

TEST_CASE("conf parser: variables cannot multiply a text without bound") {
  std::string text = "a0: [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    auto last = fmt::format(" $a{},", i - 1);
    text += fmt::format("a{}: [", i);
    for (int n = 0; n < 10; ++n) text += last;
    text += "]\n";
  }
  CHECK(fails(text));
}

TEST_CASE("conf parser: the number of values is bounded") {
  std::string text = "a: [";
  for (int i = 0; i < 200'001; ++i) text += "1,";
  CHECK(fails(text + "]"));
}

TEST_CASE("conf parser: NUL bytes are refused") {
  CHECK(fails(std::string_view{"a: 1\0b: 2", 9}));
}

TEST_CASE("conf digest: layout, order and comments do not matter, values do") {
  auto digest = [](std::string_view text) { return conf_digest(parse_conf(text).root); };
  CHECK(digest("port: 4222") ==
        "sha256:797533ebd0dfba7d34a0f9337ecf147e442871f48ddfd07ed751575a5737267e");
  CHECK(digest("{ \"port\" = 4222 } # c") == digest("port: 4222"));
  CHECK(digest("a: 1\nb: 2") == digest("b: 2, a: 1"));
  CHECK(digest("a: 1") != digest("a: \"1\""));
  CHECK(digest("a: <b>") == digest("a: \"\\x3cb>\""));
}

#define CATCH_CONFIG_MAIN
#include "rules.hpp"

#include <catch2/catch.hpp>

using namespace vagus::tidy;

namespace {

/// The repository that this test was built from.
const std::vector<source_file>& repository() {
  static const auto files = read_repository(VAGUS_ROOT);
  return files;
}

void check(const findings& found) {
  for (const auto& f : found) UNSCOPED_INFO(f);
  CHECK(found.empty());
}

void check_every_file(findings (*rule)(const source_file&)) {
  REQUIRE(repository().size() > 100);
  findings all;
  for (const auto& file : repository()) {
    auto found = rule(file);
    all.insert(all.end(), found.begin(), found.end());
  }
  check(all);
}

source_file cpp(std::string text, std::string path = "net/a.cpp") {
  return make_source(std::move(path), std::move(text));
}

std::string body(size_t lines) {
  std::string text;
  for (size_t i = 0; i < lines; ++i) text += "  f();\n";
  return text;
}

}  // namespace

// ---- the repository ----

TEST_CASE("no file is longer than 600 lines") {
  check_every_file(long_file);
}
TEST_CASE("no function is longer than 70 lines") {
  check_every_file(long_functions);
}
TEST_CASE("no line of C++ is longer than 100 characters") {
  check_every_file(long_lines);
}
TEST_CASE("nobody imports the namespace of CAF") {
  check_every_file(caf_imports);
}
TEST_CASE("nothing is left to be done later") {
  check_every_file(left_markers);
}
TEST_CASE("no test sleeps") {
  check_every_file(sleeps);
}
TEST_CASE("only storage/lmdb includes lmdb.h") {
  check_every_file(lmdb_includes);
}
TEST_CASE("things have the words that NATS has for them") {
  check_every_file(foreign_words);
}
TEST_CASE("every folder of sources has a README.md") {
  check(folders_without_readme(repository(), VAGUS_ROOT));
}

// ---- the rules ----

TEST_CASE("the rule on files counts lines") {
  CHECK(long_file(cpp(std::string(600, '\n'))).empty());
  CHECK(long_file(cpp(std::string(601, '\n'))).size() == 1);
}

TEST_CASE("the rule on functions finds long bodies, in classes and namespaces too") {
  CHECK(long_functions(cpp("void f() {\n" + body(68) + "}\n")).empty());
  CHECK(long_functions(cpp("void f() {\n" + body(69) + "}\n")).size() == 1);
  CHECK(long_functions(cpp("namespace a {\nstruct b {\n  void f(int x,\n         int y) const {\n" +
                           body(80) + "  }\n};\n}\n"))
            .size() == 1);
  CHECK(long_functions(cpp("TEST_CASE(\"a\") {\n  for (;;) {\n" + body(80) + "  }\n}\n")).size() ==
        1);
}

TEST_CASE("the rule on functions passes over tables, classes and texts") {
  CHECK(long_functions(cpp("namespace {\n" + body(100) + "}\n")).empty());
  CHECK(long_functions(cpp("struct a {\n" + std::string(100, '\n') + "};\n")).empty());
  CHECK(long_functions(cpp("const row rows[] = {\n" + body(100) + "};\n")).empty());
  CHECK(long_functions(cpp("auto s = R\"x(\nvoid f() {\n" + body(100) + ")x\";\n")).empty());
  CHECK(long_functions(cpp("char c = '{';\n// {\nint x = 1'000;\nvoid f() {\n}\n")).empty());
}

TEST_CASE("the rule on lines counts characters, not bytes") {
  std::string accents;
  for (int i = 0; i < 60; ++i) accents += "\xc3\xa9";
  CHECK(long_lines(cpp("// " + accents + "\n")).empty());
  CHECK(long_lines(cpp(std::string(101, 'x') + "\n")).size() == 1);
}

TEST_CASE("the rules on words look at code, and at whole words") {
  CHECK(caf_imports(cpp("using namespace caf;\n")).size() == 1);
  CHECK(caf_imports(cpp("// using namespace caf\n")).empty());
  CHECK(sleeps(cpp("std::this_thread::sleep_for(1s);\n", "tests/a.cpp")).size() == 1);
  CHECK(sleeps(cpp("sleep(1);\n", "tests/a.cpp")).size() == 1);
  CHECK(sleeps(cpp("auto s = \"sleep(1)\"; asleep(1);\n", "tests/a.cpp")).empty());
  CHECK(lmdb_includes(cpp("#include <lmdb.h>\n")).size() == 1);
  CHECK(lmdb_includes(cpp("#include <lmdb.h>\n", "storage/lmdb_store.cpp")).empty());
  CHECK(foreign_words(cpp("int topic_count; void f(cursor c);\n")).size() == 2);
  CHECK(foreign_words(cpp("int topical; // a topic\n")).empty());
  CHECK(left_markers(cpp("// TO"
                         "DO: later\n"))
            .size() == 1);
  CHECK(left_markers(cpp("mkstemp(\"a-XXXXXX\");\n")).empty());
}

#include "net/subject_transform.hpp"

#include "net/subject.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace vagus;

namespace {

struct transformed {
  std::string src;
  std::string dest;
  std::string subject;
  std::string result;  ///< as the peer stored it
};

std::string problem(std::string_view src, std::string_view dest) {
  std::string error;
  subject_transform::make(src, dest, error);
  return error;
}

}  // namespace

TEST_CASE("subject transform: subjects become what they become on the peer") {
  const transformed recorded[] = {
      {"in.*.*", "x.$2.$1", "in.a.b", "x.b.a"},
      {"in.*.*", "x.{{wildcard(2)}}", "in.a.b", "x.b"},
      {"in.*.*", "x.{{partition(10)}}", "in.a.b", "x.5"},
      {"in.*.*", "x.{{partition(10)}}", "in.foo.bar", "x.1"},
      {"in.*.*", "x.{{partition(10,1)}}", "in.a.b", "x.0"},
      {"in.*.*", "x.{{partition(10,1)}}", "in.foo.bar", "x.3"},
      {"in.*.*", "x.{{partition(10,1,2)}}", "in.foo.bar", "x.0"},
      {"in.*.*", "x.{{partition(10,2,1)}}", "in.foo.bar", "x.2"},
      {"in.*.*", "x.{{partition(0,1)}}", "in.a.b", "x.0"},
      {"in.*.*", "x.{{partition(-3,1)}}", "in.abc.b", "x.440920331"},
      {"in.*.*", "x.{{split(1,-)}}", "in.a-b-c.z", "x.a.b.c"},
      {"in.*.*", "x.{{split(1,-)}}", "in.-a.z", "x.a"},
      {"in.*.*", "x.{{split(1,-)}}", "in.a-.z", "x.a"},
      {"in.*.*", "x.{{split(1,-)}}", "in.a--b.z", "x.a.b"},
      {"in.*.*", "x.{{split(1,-)}}", "in.-a--b-.z", "x.a.b"},
      {"in.*.*", "x.{{split(1,-)}}", "in.abc.z", "x.abc"},
      {"in.*.*", "x.{{split(1,-)}}", "in.-.z", "x."},
      {"in.*.*", "x.{{split(1,--)}}", "in.a--b---c.z", "x.a.b.-c"},
      {"in.*.*", "x.{{split(1,)}}", "in.abc.z", "x.a.b.c"},
      {"in.*.*", "x.{{split(1,)}}", "in.a.z", "x.a"},
      {"in.*.*", "x.{{splitfromleft(1,3)}}", "in.12345.z", "x.123.45"},
      {"in.*.*", "x.{{splitfromleft(1,3)}}", "in.123.z", "x.123"},
      {"in.*.*", "x.{{splitfromleft(1,3)}}", "in.1.z", "x.1"},
      {"in.*.*", "x.{{splitfromleft(1,0)}}", "in.12345.z", "x.12345"},
      {"in.*.*", "x.{{splitfromleft(1,-1)}}", "in.12345.z", "x.12345"},
      {"in.*.*", "x.{{splitfromright(1,3)}}", "in.12345.z", "x.12.345"},
      {"in.*.*", "x.{{splitfromright(1,3)}}", "in.123.z", "x.123"},
      {"in.*.*", "x.{{splitfromright(1,3)}}", "in.1.z", "x.1"},
      {"in.*.*", "x.{{slicefromleft(1,3)}}", "in.1234567890.z", "x.123.456.789.0"},
      {"in.*.*", "x.{{slicefromleft(1,3)}}", "in.123456.z", "x.123.456"},
      {"in.*.*", "x.{{slicefromleft(1,3)}}", "in.123.z", "x.123"},
      {"in.*.*", "x.{{slicefromleft(1,3)}}", "in.12.z", "x.12"},
      {"in.*.*", "x.{{slicefromright(1,3)}}", "in.1234567890.z", "x.1.234.567.890"},
      {"in.*.*", "x.{{slicefromright(1,3)}}", "in.123456.z", "x.123.456"},
      {"in.*.*", "x.{{slicefromright(1,3)}}", "in.123.z", "x.123"},
      {"in.*.*", "x.{{slicefromleft(1,2)}}.y", "in.12345.z", "x.12.34.5.y"},
      {"in.*.*", "x.{{left(1,2)}}", "in.12345.z", "x.12"},
      {"in.*.*", "x.{{left(1,2)}}", "in.12.z", "x.12"},
      {"in.*.*", "x.{{right(1,2)}}", "in.12345.z", "x.45"},
      {"in.*.*", "x.{{right(1,2)}}", "in.12.z", "x.12"},
      {"in.*.*", "x.$0.{{wildcard(-1)}}", "in.a.b", "x.in.in"},
      {"in.*.*", "x.{{random(1)}}", "in.a.b", "x.0"},
      {"in.*.*", "x.{{random(0)}}", "in.a.b", "x.0"},
      {"in.*.*", "lit", "in.a.b", "lit"},
      {"in.>", "out.>", "in.a", "out.a"},
      {"in.>", "out.>", "in.a.b.c", "out.a.b.c"},
      {"in.*.>", "out.$1.x.>", "in.a.b", "out.a.x.b"},
      {"in.*.>", "out.$1.x.>", "in.a.b.c", "out.a.x.b.c"},
      {">", "out.>", "in.a.b", "out.in.a.b"},
      {"", "p.>", "in.a", "p.in.a"},
      {"in.*.>", "{{partition(5,1)}}.>", "in.a.b", "0.b"},
      {"in.q", "zz.{{partition(7)}}", "in.q", "zz.5"},
      {"in.q", "zz.{{partition(7)}}", "in.r", "in.r"},
      {"in.a.>", "o.>", "in.b.c", "in.b.c"},
  };
  for (const auto& r : recorded) {
    CAPTURE(r.src, r.dest, r.subject);
    std::string error;
    auto transform = subject_transform::make(r.src, r.dest, error);
    REQUIRE(transform);
    CHECK(transform->match(r.subject).value_or(r.subject) == r.result);
  }
}

TEST_CASE("subject transform: a random token is less than asked for") {
  std::string error;
  auto transform = subject_transform::make("a", "b.{{random(10)}}", error);
  REQUIRE(transform);
  CHECK(transform->apply("a", 27) == "b.7");
}

TEST_CASE("subject transform: what cannot be is refused in the peer's words") {
  CHECK(problem("a.*", "b") == "");
  CHECK(problem("a.*", "b.*") == "invalid subject");
  CHECK(problem("a.>", "b") == "invalid subject");
  CHECK(problem("a..b", "b") == "invalid subject");
  CHECK(problem("a.*", "b.$2") ==
        "invalid mapping destination: wildcard index out of range in $2: [2]");
  CHECK(problem("a.*", "b.{{nothing(1)}}") ==
        "invalid mapping destination: unknown function in {{nothing(1)}}");
  CHECK(problem("a.*", "b.{{wildcard()}}") ==
        "invalid mapping destination: not enough arguments passed to the function in "
        "{{wildcard()}}");
  CHECK(subject_transform::check("a", "") == "");
  CHECK(subject_transform::check("a", "b c") == "invalid mapping destination: invalid transform");
}

TEST_CASE("subjects: a pattern covers another if it takes everything that the other takes") {
  CHECK(subject_covers(">", "a.*.>"));
  CHECK(subject_covers("a.>", "a.*"));
  CHECK(subject_covers("a.*", "a.b"));
  CHECK(subject_covers("a.*", "a.*"));
  CHECK(!subject_covers("a.>", "a"));
  CHECK(!subject_covers("a.*", "a.>"));
  CHECK(!subject_covers("a.b", "a.*"));
  CHECK(!subject_covers("a.*", "a.b.c"));
  CHECK(!subject_covers("a.b.c", "a.b"));
}

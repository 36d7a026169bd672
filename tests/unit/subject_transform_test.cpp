#include "net/subject_transform.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using namespace vagus;

// What is expected here is what nats-server 2.15 stored in a stream with this transform.

namespace {

subject_transform made(std::string_view source, std::string_view destination) {
  auto result = subject_transform::make(source, destination);
  if (auto* why = std::get_if<transform_failure>(&result)) FAIL(why->text);
  return std::get<subject_transform>(result);
}

std::string failure(std::string_view source, std::string_view destination) {
  auto result = subject_transform::make(source, destination);
  auto* why = std::get_if<transform_failure>(&result);
  if (!why) return "none";
  return (why->in_source ? "source: " : "") + why->text;
}

/// Under the source "t.*"; as it is where the source does not match.
std::string one(std::string_view destination, std::string_view subject) {
  auto transform = made("t.*", destination);
  return transform.matches(subject) ? transform.apply(subject) : std::string{subject};
}

std::string with(std::string_view source, std::string_view destination, std::string_view subject) {
  auto transform = made(source, destination);
  REQUIRE(transform.matches(subject));
  return transform.apply(subject);
}

const std::string invalid = "invalid mapping destination: ";

}  // namespace

TEST_CASE("subject transform: wildcards, in every spelling") {
  for (auto destination : {"u.$1", "u.$+1", "u.{{wildcard(1)}}", "u.{{Wildcard(1)}}",
                           "u.{{ Wildcard( 1 ) }}", "u.{{wildcard(01)}}", "u.{{wildcard(+1)}}",
                           "u.{{wildcard(1)  }}", "u.{{x{{wildcard(1)}}", "u.{{wildcard(1)}}}}"})
    CHECK(one(destination, "t.a") == "u.a");
  CHECK(one("{{wildcard(1)}}.u", "t.a") == "a.u");
  CHECK(one("$1", "t.a") == "a");
  CHECK(one("u.$1.$1", "t.a") == "u.a.a");
  CHECK(with("t.*.*", "$2.$1.u", "t.a.b") == "b.a.u");
  CHECK(with("*.*", "$2.$1.u", "t.b") == "b.t.u");
}

TEST_CASE("subject transform: what only looks like a function stays") {
  CHECK(one("u.$x", "t.a") == "u.$x");
  CHECK(one("u.$", "t.a") == "u.$");
  CHECK(one("u.{{}}", "t.a") == "u.{{}}");
  CHECK(one("u.{{wildcard(1)}", "t.a") == "u.{{wildcard(1)}");
  CHECK(one("u.x{{wildcard(1)}}", "t.a") == "u.x{{wildcard(1)}}");
  CHECK(one("u.{{split(1,.)}}", "t.a") == "u.{{split(1,.)}}");
}

TEST_CASE("subject transform: a wildcard below the first is the first token") {
  CHECK(one("u.$0", "t.a") == "u.t");
  CHECK(one("u.{{wildcard(-1)}}", "t.a") == "u.t");
  CHECK(with(">", "u.{{wildcard(0)}}.>", "t.a") == "u.t.t.a");
}

TEST_CASE("subject transform: the rest of the subject") {
  CHECK(with(">", "u.>", "t.a") == "u.t.a");
  CHECK(with("", "u.>", "t.a") == "u.t.a");
  CHECK(with("t.>", "u.>", "t.a.b") == "u.a.b");
  CHECK(with("t.>", ">", "t.a") == "a");
  CHECK(with(">", ">", "t.a") == "t.a");
  CHECK(with("t.*.>", "u.$1.>", "t.a.b.c") == "u.a.b.c");
  CHECK(with("t.*.>", "u.>", "t.a.b.c") == "u.b.c");
  CHECK(with("t.a", "u.b", "t.a") == "u.b");
}

TEST_CASE("subject transform: an empty destination changes nothing") {
  CHECK(with("t.>", "", "t.a") == "t.a");
  CHECK(with("", "", "t.a") == "t.a");
  CHECK_FALSE(made("t.>", "").matches("u.a"));
}

TEST_CASE("subject transform: it is only for literal subjects that match the source") {
  CHECK(one("u.$1", "other.a") == "other.a");
  for (auto subject : {"t.*", "t.>", "t.", "t", "t.a.b", ""})
    CHECK_FALSE(made("t.*", "u.$1").matches(subject));
}

TEST_CASE("subject transform: partitions") {
  CHECK(one("u.{{partition(3)}}.{{wildcard(1)}}", "t.a") == "u.0.a");
  CHECK(one("u.{{partition(3)}}", "t.b") == "u.1");
  CHECK(one("u.{{partition(3)}}", "t.abcdef") == "u.0");
  CHECK(with("t.*.*", "u.{{partition(10,1,2)}}", "t.a.b") == "u.6");
  CHECK(with("t.*.*", "u.{{partition(10,1,2)}}", "t.b.a") == "u.8");
  CHECK(with("t.*.*", "u.{{Partition(10,2)}}.$1", "t.foo.bar") == "u.2.foo");
  CHECK(with("t.*.*.*", "u.{{partition(10, 3 ,1)}}", "t.a.b.c") == "u.5");
  CHECK(with(">", "u.{{partition(10)}}.>", "t.a") == "u.2.t.a");
  CHECK(with("t.a", "u.{{partition(10)}}", "t.a") == "u.2");
  CHECK(with("t.a", "u.{{partition(10,1)}}", "t.a") == "u.2");
  CHECK(one("u.{{partition(0)}}", "t.a") == "u.0");
  CHECK(one("u.{{partition(-1)}}", "t.a") == "u.3144931362");
}

TEST_CASE("subject transform: split at a text") {
  CHECK(one("u.{{split(1,-)}}", "t.a-b-c") == "u.a.b.c");
  CHECK(one("u.{{split(1, -)}}", "t.a-b") == "u.a.b");
  CHECK(one("u.{{Split(1,-)}}", "t.-a--b-") == "u.a.b");
  CHECK(one("u.{{split(1,-)}}", "t.a") == "u.a");
  CHECK(one("u.{{split(1,ab)}}", "t.xabyabz") == "u.x.y.z");
  CHECK(one("u.{{split(1,é)}}", "t.aéb") == "u.a.b");
  CHECK(one("u.{{split(1,)}}", "t.aéb") == "u.a.é.b");
  CHECK(one("u.{{split(1,-)}}", "t.--") == "u.");
  CHECK(one("u.{{split(1,-)}}", "t.---a") == "u..a");
}

TEST_CASE("subject transform: split and slice at a place") {
  CHECK(one("u.{{splitfromleft(1,3)}}", "t.12345") == "u.123.45");
  CHECK(one("u.{{SplitFromLeft(1, 3)}}", "t.123") == "u.123");
  CHECK(one("u.{{splitFromLeft(1,0)}}", "t.12345") == "u.12345");
  CHECK(one("u.{{splitFromLeft(1,-2)}}", "t.12345") == "u.12345");
  CHECK(one("u.{{splitfromright(1,3)}}", "t.12345") == "u.12.345");
  CHECK(one("u.{{splitfromright(1,3)}}", "t.12") == "u.12");
  CHECK(one("u.{{slicefromleft(1,3)}}", "t.1234567") == "u.123.456.7");
  CHECK(one("u.{{slicefromleft(1,3)}}", "t.123456") == "u.123.456");
  CHECK(one("u.{{slicefromleft(1,1)}}", "t.1234") == "u.1.2.3.4");
  CHECK(one("u.{{slicefromright(1,3)}}", "t.1234567") == "u.1.234.567");
  CHECK(one("u.{{SliceFromRight(1,3)}}", "t.12345678901") == "u.12.345.678.901");
  CHECK(one("u.{{slicefromright(1,3)}}", "t.123") == "u.123");
}

TEST_CASE("subject transform: left and right") {
  CHECK(one("u.{{left(1,3)}}", "t.12345") == "u.123");
  CHECK(one("u.{{left(1,3)}}", "t.12") == "u.12");
  CHECK(one("u.{{Left(1,0)}}", "t.12345") == "u.12345");
  CHECK(one("u.{{right(1,3)}}", "t.12345") == "u.345");
  CHECK(one("u.{{Right(1,3)}}", "t.12") == "u.12");
}

TEST_CASE("subject transform: random numbers are below the limit, and all of them come") {
  CHECK(one("u.{{random(1)}}", "t.a") == "u.0");
  CHECK(one("u.{{random(0)}}", "t.a") == "u.0");
  CHECK(with("t.a", "u.{{Random(1)}}", "t.a") == "u.0");
  for (auto destination : {"{{random(3)}}", "{{random(-3)}}"}) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(one(destination, "t.a"));
    CHECK(seen == std::set<std::string>{"0", "1", "2"});
  }
}

TEST_CASE("subject transform: source and destination must fit together") {
  for (auto [source, destination] :
       {std::pair{"t.>", "u.b"}, {"t.b", "u.>"}, {"", "u.b"}, {"t.*", "u.*"}})
    CHECK(failure(source, destination) == "invalid subject");
  CHECK(failure("t..a", "u") == "source: invalid subject t..a");
  CHECK(failure("t. a", "u") == "source: invalid subject t. a");
  CHECK(failure("t.*", "u..a") == invalid + "invalid transform");
  CHECK(failure("t.*", "u. a") == invalid + "invalid transform");
  CHECK(failure("t.>", "u.>.a") == invalid + "invalid transform in a");
}

TEST_CASE("subject transform: a function that cannot work says why") {
  auto check = [](std::string token, std::string why, std::string more = "") {
    CHECK(failure("t.*", "u." + token) == invalid + why + " in " + token + more);
  };
  for (auto token : {"{{bogus(1)}}", "{{wildcard 1}}", "{{LEFT(1,2)}}"})
    check(token, "unknown function");
  for (auto token : {"{{wildcard()}}", "{{split(1)}}", "{{right(1)}}", "{{random(1,2)}}"})
    check(token, "not enough arguments passed to the function");
  for (auto token : {"{{wildcard(1,2)}}", "{{split(1,-,+)}}", "{{right(1,2,3)}}"})
    check(token, "too many arguments passed to the function");
  for (auto token :
       {"{{wildcard(x)}}", "{{wildcard(1_0)}}", "{{wildcard(1))}}",
        "{{wildcard(99999999999999999999)}}", "{{partition()}}", "{{partition(2147483648)}}",
        "{{partition(x,1)}}", "{{partition(2,)}}", "{{split(1,- )}}", "{{right(1,99999999999)}}",
        "{{random()}}", "{{random(2147483648)}}", "{{wildcard(1)}}y{{wildcard(1)}}"})
    check(token, "function argument is invalid or in the wrong format");
  for (auto token : {"{{wildcard(2)}}", "$2", "{{partition(10,2)}}"})
    check(token, "wildcard index out of range", ": [2]");
  for (auto token : {"{{wildcard(1)}}", "$1", "{{left(1,1)}}"})
    CHECK(failure("t.a", token) == invalid + "wildcard index out of range in " + token);
}

TEST_CASE("subject transform: an unknown function comes before other mistakes") {
  CHECK(failure("t.*", "{{wildcard()}}.{{slice()}}.>") ==
        invalid + "unknown function in {{slice()}}");
}

TEST_CASE("subject transform: it takes any bytes for a subject") {
  auto transform = made("t.*.*", "{{left(1,2)}}.{{partition(9,1,2)}}.{{split(2,)}}.$2");
  for (auto subject : {"", ".", "t", "\xff.\xff\xfe.\xe2\x82", "....", ">"}) {
    INFO(subject);
    CHECK(std::ranges::count(transform.apply(subject), '.') >= 3);
  }
}

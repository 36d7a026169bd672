#include "net/options/units.hpp"

#include <catch2/catch.hpp>

using namespace vagus;
using namespace std::chrono_literals;

TEST_CASE("sizes: a bare suffix is decimal, one with b or i is binary") {
  auto size = [](std::string_view text) { return parse_size(text).value; };
  CHECK(size("17") == 17);
  CHECK(size("-3") == -3);
  CHECK(size("1k") == 1000);
  CHECK(size("1K") == 1000);
  CHECK(size("1kb") == 1024);
  CHECK(size("1Ki") == 1024);
  CHECK(size("1KiB") == 1024);
  CHECK(size("64MB") == 64 << 20);
  CHECK(size("2g") == 2'000'000'000);
  CHECK(size("1tb") == int64_t{1} << 40);
  CHECK(size("1pib") == int64_t{1} << 50);
  CHECK(size("7e") == 7'000'000'000'000'000'000);
}

TEST_CASE("sizes: what is no number or does not fit says so") {
  CHECK(parse_size("").error == number_error::malformed);
  CHECK(parse_size("k").error == number_error::malformed);
  CHECK(parse_size("5kk").error == number_error::malformed);
  CHECK(parse_size("5bb").error == number_error::malformed);
  CHECK(parse_size("9223372036854775808").error == number_error::out_of_range);
  CHECK(parse_size("16eib").error == number_error::out_of_range);
}

TEST_CASE("Go integers: prefixes and underscores") {
  CHECK(parse_go_integer("0x1000").value == 4096);
  CHECK(parse_go_integer("0b11").value == 3);
  CHECK(parse_go_integer("0o17").value == 15);
  CHECK(parse_go_integer("017").value == 15);
  CHECK(parse_go_integer("1_000").value == 1000);
  CHECK(parse_go_integer("+5").value == 5);
  CHECK(parse_go_integer("-1").value == -1);
  CHECK(parse_go_integer("0").error == number_error::none);
  for (auto text : {"", "x", "1x", "_1", "1_", "1__0", "--1", "+-1", "09", "0x", " 1"})
    CHECK(parse_go_integer(text).error == number_error::malformed);
  CHECK(parse_go_integer("99999999999999999999").error == number_error::out_of_range);
}

TEST_CASE("durations: Go's units, several of them, fractions") {
  CHECK(parse_duration("10s") == 10s);
  CHECK(parse_duration("1h30m") == 90min);
  CHECK(parse_duration("1.5s") == 1500ms);
  CHECK(parse_duration(".5ms") == 500us);
  CHECK(parse_duration("-2ms") == -2ms);
  CHECK(parse_duration("3\u00b5s") == 3us);
  CHECK(parse_duration("0") == 0s);
  for (auto text : {"", "5", "s", ".s", "1d", "1s2", "1..2s", "-", "9999999999h", "1 s"})
    CHECK_FALSE(parse_duration(text));
}

TEST_CASE("durations: the written form reads back") {
  for (std::string text : {"0s", "2m0s", "1h1m1.25s", "10s", "100ms", "1.5us", "7ns", "-3s"})
    CHECK(format_duration(*parse_duration(text)) == text);
}

TEST_CASE("sizes: as nats-server writes them") {
  CHECK(friendly_bytes(0) == "0 B");
  CHECK(friendly_bytes(1023) == "1023 B");
  CHECK(friendly_bytes(2048) == "2.00 KB");
  CHECK(friendly_bytes(52880) == "51.64 KB");
  CHECK(friendly_bytes(uint64_t{3} << 40) == "3.00 TB");
  CHECK(friendly_bytes(UINT64_MAX) == "16.00 EB");
}

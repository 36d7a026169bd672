#include "net/protocol/parser.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace vagus;

namespace {

/// A text with the '\n' behind it that the parser asks for, and what it parsed.
struct parsed {
  explicit parsed(std::string given, parse_limits limits = {}) : text{std::move(given)} {
    size = text.size();
    text += '\n';
    result = parse_operation(text.data(), text.data() + size, limits);
  }
  size_t consumed() const { return static_cast<size_t>(result.next - text.data()); }
  std::string_view payload() const { return {result.payload, static_cast<size_t>(result.size)}; }

  std::string text;
  size_t size;
  operation result;
};

op kind_of(std::string text, parse_limits limits = {}) {
  return parsed{std::move(text), limits}.result.kind;
}

}  // namespace

TEST_CASE("parser: PUB has a subject, a reply and a payload") {
  parsed p{"PUB foo.bar inbox.1 5\r\nhello\r\nPING\r\n"};
  REQUIRE(p.result.kind == op::pub);
  CHECK(p.result.subject == "foo.bar");
  CHECK(p.result.reply == "inbox.1");
  CHECK(p.payload() == "hello");
  CHECK(p.result.header_size == -1);
  CHECK(p.result.args == "foo.bar inbox.1 5");
  CHECK(p.consumed() == 30);
}

TEST_CASE("parser: PUB without a reply, with an empty payload") {
  parsed p{"PUB foo 0\r\n\r\n"};
  REQUIRE(p.result.kind == op::pub);
  CHECK(p.result.reply.empty());
  CHECK(p.payload().empty());
  CHECK(p.consumed() == p.size);
}

TEST_CASE("parser: HPUB says how much of its payload is headers") {
  parsed p{"HPUB foo r 12 15\r\nNATS/1.0\r\n\r\nabc\r\n"};
  REQUIRE(p.result.kind == op::pub);
  CHECK(p.result.header_size == 12);
  CHECK(p.payload() == "NATS/1.0\r\n\r\nabc");
  CHECK(p.result.reply == "r");
}

TEST_CASE("parser: SUB has a subject, perhaps a queue group, and a sid") {
  parsed plain{"SUB foo.* 7\r\n"};
  REQUIRE(plain.result.kind == op::sub);
  CHECK(plain.result.subject == "foo.*");
  CHECK(plain.result.queue.empty());
  CHECK(plain.result.sid == "7");
  parsed queue{"SUB foo workers a-sid\r\n"};
  CHECK(queue.result.queue == "workers");
  CHECK(queue.result.sid == "a-sid");
}

TEST_CASE("parser: UNSUB has a sid and perhaps a maximum; a bad maximum is none") {
  CHECK(parsed{"UNSUB 7\r\n"}.result.sid == "7");
  CHECK(parsed{"UNSUB 7\r\n"}.result.max == 0);
  CHECK(parsed{"UNSUB 7 10\r\n"}.result.max == 10);
  CHECK(parsed{"UNSUB 7 ten\r\n"}.result.max == 0);
}

TEST_CASE("parser: operations without arguments") {
  CHECK(kind_of("PING\r\n") == op::ping);
  CHECK(kind_of("PONG\r\n") == op::pong);
  CHECK(kind_of("+OK\r\n") == op::ignored);
  CHECK(kind_of("-ERR 'no'\r\n") == op::client_error);
}

TEST_CASE("parser: CONNECT and INFO carry their JSON") {
  parsed p{"CONNECT  {\"verbose\":false} \r\n"};
  REQUIRE(p.result.kind == op::connect);
  CHECK(p.result.args == "{\"verbose\":false} ");
  CHECK(parsed{"INFO {}\r\n"}.result.args == "{}");
}

TEST_CASE(
    "parser: names have no case, blanks are runs of spaces and tabs, lines may end with \\n") {
  CHECK(kind_of("ping\n") == op::ping);
  CHECK(kind_of("pUb foo 1\na\r\n") == op::pub);
  parsed p{"sub\t foo \t q  1 \t\r\n"};
  REQUIRE(p.result.kind == op::sub);
  CHECK(p.result.subject == "foo");
  CHECK(p.result.queue == "q");
  CHECK(p.result.sid == "1");
}

TEST_CASE("parser: arguments are bytes, whatever they are, but for blanks and line ends") {
  parsed p{"PUB \xff\x01\r\x02 1\r\nx\r\n"};
  REQUIRE(p.result.kind == op::pub);
  CHECK(p.result.subject == "\xff\x01\r\x02");
  std::string nul{"PUB a\0b 1\r\nx\r\n", 14};
  CHECK(parsed{nul}.result.subject == std::string_view{"a\0b", 3});
}

TEST_CASE("parser: the wrong number of arguments, or a bad size") {
  for (const char* line :
       {"PUB\t\r\n", "PUB foo\r\n", "PUB foo bar baz 1\r\n", "PUB foo x\r\n", "PUB foo -1\r\n",
        "PUB foo 1234567890\r\n", "PUB foo 99999999999999999999999999\r\n", "PUB foo +1\r\n",
        "HPUB foo 1\r\n", "HPUB foo 5 4\r\n", "HPUB foo x 4\r\n", "HPUB a b c 1 2\r\n",
        "SUB foo\r\n", "SUB a b c d\r\n", "SUB  \r\n", "UNSUB \r\n", "UNSUB 1 2 3\r\n"}) {
    CAPTURE(line);
    CHECK(kind_of(line) == op::bad_arguments);
  }
}

TEST_CASE("parser: what is not NATS is known as early as it can be") {
  for (const char* text : {"G", "GET / HTTP/1.1\r\n", "PUX", "PUBX", "\r\n", " ", "SUBS", "HPUBX",
                           "UNSUX", "+OX", "-ERX", "INFO\r", "\xff", "PIP", "CONNEX"}) {
    CAPTURE(text);
    CHECK(kind_of(text) == op::unknown);
  }
}

TEST_CASE("parser: the payload ends with \\r\\n where its size says") {
  CHECK(kind_of("PUB a 1\r\nxy\r\n") == op::unknown);
  CHECK(kind_of("PUB a 1\r\nx\r\r") == op::unknown);
  CHECK(kind_of("PUB a 1\r\nx\n") == op::unknown);
  CHECK(kind_of("PUB a 2\r\nx\r\n") == op::unknown);
  CHECK(kind_of("PUB a 2\r\nxy\r") == op::incomplete);
}

TEST_CASE("parser: a control line may be as long as the limit, not longer") {
  parse_limits limits{10, 100};
  CHECK(kind_of("PUB 12345678 1\r\nx\r\n", limits) == op::pub);
  CHECK(kind_of("PUB 123456789 1\r\nx\r\n", limits) == op::control_line_exceeded);
  CHECK(kind_of("SUB 12345678 1\r\n", limits) == op::sub);
  CHECK(kind_of("SUB 123456789 1\r\n", limits) == op::control_line_exceeded);
  CHECK(kind_of("UNSUB 12345678901\r\n", limits) == op::control_line_exceeded);
  CHECK(kind_of("CONNECT {\"a\":\"bcd\"}\r\n", limits) == op::control_line_exceeded);
  CHECK(kind_of("PUB 12345678901", limits) == op::control_line_exceeded);
  CHECK(kind_of("CONNECT 12345678901", limits) == op::control_line_exceeded);
}

TEST_CASE("parser: a payload may be as large as the limit; one that is larger is not waited for") {
  parse_limits limits{100, 3};
  CHECK(kind_of("PUB a 3\r\nxyz\r\n", limits) == op::pub);
  CHECK(kind_of("PUB a 4\r\n", limits) == op::payload_exceeded);
  CHECK(kind_of("HPUB a 2 4\r\n", limits) == op::payload_exceeded);
}

TEST_CASE("parser: sizes have one to nine digits") {
  CHECK(parse_decimal("0") == 0);
  CHECK(parse_decimal("007") == 7);
  CHECK(parse_decimal("999999999") == 999999999);
  CHECK(parse_decimal("1000000000") == -1);
  CHECK(parse_decimal("") == -1);
  CHECK(parse_decimal("-1") == -1);
  CHECK(parse_decimal("1 ") == -1);
  CHECK(parse_decimal("0x1") == -1);
}

#include "net/protocol/parser.hpp"

#include <catch2/catch.hpp>

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace vagus;

namespace {

/// The first `size` bytes of a text in memory of exactly that size, so that AddressSanitizer sees
/// every byte that is read beyond the '\n'.
class prefix {
public:
  prefix(const std::string& text, size_t size) : bytes_{new char[size + 1]}, size_{size} {
    std::memcpy(bytes_.get(), text.data(), size);
    bytes_[size] = '\n';
  }
  operation parse(const parse_limits& limits) const {
    return parse_operation(bytes_.get(), bytes_.get() + size_, limits);
  }
  size_t position(const char* at) const { return static_cast<size_t>(at - bytes_.get()); }

private:
  std::unique_ptr<char[]> bytes_;
  size_t size_;
};

const std::vector<std::string> operations{
    "PUB foo 5\r\nhello\r\n",
    "PUB foo reply 0\r\n\r\n",
    "pub\tfoo 2\n\r\n\r\n",
    "HPUB foo r 12 15\r\nNATS/1.0\r\n\r\nabc\r\n",
    "HPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\n",
    "SUB foo.> q 1\r\n",
    "sub  foo  1\n",
    "UNSUB 1\r\n",
    "UNSUB 1 12\r\n",
    "PING\r\n",
    "PONG\r\n",
    "CONNECT {\"verbose\":false}\r\n",
    "INFO {}\r\n",
    "+OK\r\n",
};

/// What must hold for a text that is one operation and something behind it: every prefix that ends
/// inside the operation is incomplete and asks for no more than the operation has.
void check_prefixes(const std::string& text, const parse_limits& limits) {
  auto whole = prefix{text, text.size()}.parse(limits);
  bool decided = false;
  for (size_t n = 0; n <= text.size(); ++n) {
    prefix part{text, n};
    auto o = part.parse(limits);
    INFO("after " << n << " of " << text.size() << " bytes: " << text);
    if (o.kind == op::incomplete) {
      REQUIRE_FALSE(decided);
      REQUIRE(o.needed > n);
      if (whole.kind != op::incomplete) REQUIRE(o.needed <= text.size());
    } else {
      REQUIRE(o.kind == whole.kind);
      if (o.next != nullptr) REQUIRE(part.position(o.next) <= n);
      decided = true;
    }
  }
}

/// Text of words that the grammar knows and bytes that it does not.
std::string random_text(std::minstd_rand& random) {
  static const std::vector<std::string> words{
      "PUB", "HPUB", "SUB", "UNSUB", "PING", "CONNECT", "+OK",  "-ERR", "INFO",
      " ",   " ",    " ",   "\t",    "\r\n", "\r\n",    "\n",   "\r",   "0",
      "1",   "3",    "12",  "foo",   "*",    "{}",      "\xff", "a.b",  "9999"};
  std::string text;
  for (auto n = random() % 12; n > 0; --n) text += words[random() % words.size()];
  return text;
}

}  // namespace

TEST_CASE("parser: an operation is complete with its last byte and not before") {
  for (const auto& text : operations) {
    check_prefixes(text, {});
    auto whole = prefix{text, text.size()}.parse({});
    REQUIRE(whole.kind != op::incomplete);
    for (size_t n = 0; n < text.size(); ++n)
      CHECK(prefix{text, n}.parse({}).kind == op::incomplete);
  }
}

TEST_CASE("parser: what follows an operation does not matter to it") {
  for (const auto& first : operations) {
    for (const auto& second : operations) {
      auto text = first + second;
      prefix both{text, text.size()};
      auto o = both.parse({});
      REQUIRE(both.position(o.next) == first.size());
    }
  }
}

TEST_CASE("parser: once the size is known, what is asked for reaches the terminator") {
  auto o = prefix{"PUB foo 1000\r\n", 14}.parse({});
  REQUIRE(o.kind == op::incomplete);
  CHECK(o.needed == 14 + 1000 + 1);
}

TEST_CASE("parser: pieces and the whole agree, whatever the bytes") {
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::minstd_rand random{seed};
  for (int i = 0; i < 20000; ++i) {
    auto text = random_text(random);
    // What is needed is only told from what has come, so that only undecided texts are compared.
    auto whole = prefix{text, text.size()}.parse({20, 100});
    bool decided = false;
    for (size_t n = 0; n <= text.size(); ++n) {
      prefix part{text, n};
      auto o = part.parse({20, 100});
      INFO("after " << n << " bytes: " << text);
      if (o.kind == op::incomplete) {
        REQUIRE_FALSE(decided);
        REQUIRE(o.needed > n);
        if (whole.next != nullptr) REQUIRE(o.needed <= static_cast<size_t>(text.size()));
        continue;
      }
      decided = true;
      REQUIRE(o.kind == whole.kind);
      if (o.next != nullptr) REQUIRE(part.position(o.next) <= n);
    }
  }
}

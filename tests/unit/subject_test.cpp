#include "net/subject.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <set>
#include <string>
#include <vector>

using namespace vagus;

namespace {

std::vector<std::string> split(std::string_view subject) {
  std::vector<std::string> tokens{""};
  for (char c : subject) {
    if (c == '.')
      tokens.emplace_back();
    else
      tokens.back() += c;
  }
  return tokens;
}

/// The rule as one would say it, on vectors of tokens.
bool matches_plainly(const std::vector<std::string>& pattern,
                     const std::vector<std::string>& subject) {
  for (const auto& token : subject)
    if (token.empty()) return false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == ">") return i < subject.size();
    if (i >= subject.size()) return false;
    if (pattern[i] != "*" && pattern[i] != subject[i]) return false;
  }
  return pattern.size() == subject.size();
}

std::string random_subject(std::minstd_rand& random, const std::vector<std::string>& tokens) {
  std::string subject;
  auto count = 1 + random() % 4;
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) subject += '.';
    subject += tokens[random() % tokens.size()];
  }
  return subject;
}

/// All literal subjects of one to three tokens out of three.
std::vector<std::string> small_world() {
  std::vector<std::string> all;
  for (const char* a : {"a", "b", "c"}) {
    all.emplace_back(a);
    for (const char* b : {"a", "b", "c"}) {
      all.push_back(std::string{a} + "." + b);
      for (const char* c : {"a", "b", "c"}) all.push_back(std::string{a} + "." + b + "." + c);
    }
  }
  return all;
}

}  // namespace

TEST_CASE("subject: tokens may be any text but blanks, and none is empty") {
  for (const char* good : {"a", "a.b", "a*b", "a>", ">a.b", "**", "\xc3\xa9.\xff", "a.*.b", "*",
                           ">", "a.>", "*.*.>", "$SYS.>", "_INBOX.x"})
    CHECK(valid_subject(good));
  for (const char* bad : {"", ".", "a.", ".a", "a..b", "a b", "a\tb", "a\r", "a\nb", "a.\f", ">.a",
                          "a.>.b", ">.", " "}) {
    CAPTURE(bad);
    CHECK_FALSE(valid_subject(bad));
  }
}

TEST_CASE("subject: a literal has no token that is a wildcard") {
  CHECK(valid_literal_subject("a.b*"));
  CHECK(valid_literal_subject("a>.b"));
  CHECK_FALSE(valid_literal_subject("a.*"));
  CHECK_FALSE(valid_literal_subject(">"));
  CHECK_FALSE(valid_literal_subject("a..b"));
  CHECK(has_wildcard("a.*.b"));
  CHECK(has_wildcard("a.>"));
  CHECK_FALSE(has_wildcard("a*.>b"));
}

TEST_CASE("subject: tokens are counted") {
  CHECK(token_count("a") == 1);
  CHECK(token_count("a.b.c") == 3);
}

TEST_CASE("subject: wildcards match one token, or one and more at the end") {
  CHECK(subject_matches("a.b", "a.b"));
  CHECK_FALSE(subject_matches("a.b", "a.B"));
  CHECK(subject_matches("a.*", "a.b"));
  CHECK_FALSE(subject_matches("a.*", "a"));
  CHECK_FALSE(subject_matches("a.*", "a.b.c"));
  CHECK(subject_matches("a.>", "a.b.c"));
  CHECK_FALSE(subject_matches("a.>", "a"));
  CHECK(subject_matches(">", "a"));
  CHECK(subject_matches("*.b.*", "a.b.c"));
}

TEST_CASE("subject: what is published is taken literally") {
  CHECK(subject_matches("a.*", "a.*"));
  CHECK(subject_matches("a.*", "a.>"));
  CHECK_FALSE(subject_matches("a.b", "a.*"));
  CHECK(subject_matches("a*b", "a*b"));
  CHECK_FALSE(subject_matches("a*b", "axb"));
}

TEST_CASE("subject: one with an empty token reaches nobody") {
  for (const char* empty : {"", ".", "a.", ".a", "a..b"}) {
    CAPTURE(empty);
    CHECK_FALSE(subject_matches(">", empty));
    CHECK_FALSE(subject_matches("*", empty));
    CHECK_FALSE(subject_matches("a.*", empty));
  }
}

TEST_CASE("subject: matching agrees with the plain rule on random subjects") {
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::minstd_rand random{seed};
  const std::vector<std::string> pattern_tokens{"a", "b", "ab", "*", "*", ">"};
  const std::vector<std::string> literal_tokens{"a", "b", "ab", "*", ">", "", "a*"};
  for (int i = 0; i < 100'000; ++i) {
    auto pattern = random_subject(random, pattern_tokens);
    if (!valid_subject(pattern)) continue;
    auto subject = random_subject(random, literal_tokens);
    INFO(pattern << " and " << subject);
    REQUIRE(subject_matches(pattern, subject) == matches_plainly(split(pattern), split(subject)));
  }
}

TEST_CASE("subject: two patterns overlap if some literal matches both") {
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::minstd_rand random{seed};
  const std::vector<std::string> tokens{"a", "b", "*", "*", ">"};
  auto world = small_world();
  for (int i = 0; i < 4000; ++i) {
    auto left = random_subject(random, tokens);
    auto right = random_subject(random, tokens);
    if (!valid_subject(left) || !valid_subject(right)) continue;
    if (token_count(left) > 3 || token_count(right) > 3) continue;
    bool common = false;
    for (const auto& s : world) common |= subject_matches(left, s) && subject_matches(right, s);
    INFO(left << " and " << right);
    REQUIRE(subjects_overlap(left, right) == common);
    REQUIRE(subjects_overlap(right, left) == common);
  }
}

TEST_CASE("subject: hashes depend on every byte, the length and the seed") {
  std::set<uint64_t> hashes;
  std::string text;
  for (int i = 0; i < 40; ++i) {
    hashes.insert(hash_bytes(text));
    hashes.insert(hash_bytes(text, 1));
    text += '\0';
  }
  CHECK(hashes.size() == 80);
  CHECK(hash_bytes("12345678a") != hash_bytes("12345678b"));
  CHECK(hash_bytes("a2345678") != hash_bytes("b2345678"));
}

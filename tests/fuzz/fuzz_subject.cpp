#include "net/subject.hpp"
#include "target.hpp"

using namespace vagus;
using namespace vagus::fuzz;

namespace {

std::vector<std::string> tokens_of(std::string_view subject) {
  std::vector<std::string> tokens{""};
  for (char c : subject) {
    if (c == '.')
      tokens.emplace_back();
    else
      tokens.back() += c;
  }
  return tokens;
}

bool matches_plainly(const std::vector<std::string>& pattern,
                     const std::vector<std::string>& subject) {
  for (const auto& token : subject)
    if (token.empty()) return false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == ">") return i < subject.size();
    if (i >= subject.size() || (pattern[i] != "*" && pattern[i] != subject[i])) return false;
  }
  return pattern.size() == subject.size();
}

void check_one(const std::string& subject) {
  bool valid = valid_subject(subject);
  bool literal = valid_literal_subject(subject);
  require(!literal || (valid && !has_wildcard(subject)), "a literal is valid without wildcards");
  require(token_count(subject) == tokens_of(subject).size(), "tokens are counted");
  require(hash_bytes(subject) == hash_bytes(std::string{subject}), "a hash is one of the bytes");
  if (valid) require(subjects_overlap(subject, subject), "a valid subject overlaps itself");
  if (literal) require(subject_matches(subject, subject), "a literal matches itself");
}

void check_two(const std::string& a, const std::string& b) {
  bool both = valid_subject(a) && valid_subject(b);
  bool overlap = subjects_overlap(a, b);
  require(overlap == subjects_overlap(b, a), "overlapping is mutual");
  if (!valid_subject(a)) return;
  bool matches = subject_matches(a, b);
  require(matches == matches_plainly(tokens_of(a), tokens_of(b)), "matching is as the rule says");
  if (both && !has_wildcard(b)) require(overlap == matches, "with a literal they are the same");
}

}  // namespace

/// Every line is a subject; each is held against the next.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto subjects = lines_of(text_of(data, size));
  for (size_t i = 0; i < subjects.size(); ++i) {
    check_one(subjects[i]);
    check_two(subjects[i], subjects[(i + 1) % subjects.size()]);
    check_two(subjects[(i + 1) % subjects.size()], subjects[i]);
  }
  return 0;
}

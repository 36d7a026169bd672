#include "actors/jetstream/subjects_check.hpp"

#include "actors/jetstream/json_text.hpp"
#include "net/subject.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <unordered_set>

namespace vagus {

namespace {

/// Streams that answer each publisher would break the protocols that run on these subjects.
std::string_view check_reserved(std::string_view subject) {
  for (std::string_view reserved : {"$JS.>", "$JSC.>", "$NRG.>"})
    if (subjects_overlap(subject, reserved) && !subject_covers("$JS.EVENT.>", subject))
      return "subjects that overlap with jetstream api require no-ack to be true";
  if (subjects_overlap(subject, "$SYS.>") && !subject_covers("$SYS.ACCOUNT.>", subject))
    return "subjects that overlap with system api require no-ack to be true";
  return {};
}

/// The subjects of a stream, with those that need comparing apart from those that do not.
struct split_subjects {
  std::vector<size_t> patterns;
  std::vector<size_t> literals;

  explicit split_subjects(const std::vector<std::string>& subjects) {
    for (size_t i = 0; i < subjects.size(); ++i)
      (has_wildcard(subjects[i]) ? patterns : literals).push_back(i);
  }
};

/// The first later subject that overlaps with the one at `i`; the size if there is none.
size_t first_overlap(const std::vector<std::string>& subjects, const split_subjects& parts,
                     size_t i) {
  auto search = [&](const std::vector<size_t>& among) {
    for (auto at = std::upper_bound(among.begin(), among.end(), i); at != among.end(); ++at)
      if (subjects_overlap(subjects[*at], subjects[i])) return *at;
    return subjects.size();
  };
  auto found = search(parts.patterns);
  if (has_wildcard(subjects[i])) found = std::min(found, search(parts.literals));
  return found;
}

}  // namespace

std::string check_subjects(const stream_config& config) {
  const auto& subjects = config.subjects;
  split_subjects parts{subjects};
  if (parts.patterns.size() * subjects.size() > max_subject_comparisons)
    return "too many subjects with wildcards";
  std::unordered_set<std::string_view> seen;
  for (size_t i = 0; i < subjects.size(); ++i) {
    std::string_view subject = subjects[i];
    if (!valid_subject(subject)) return "invalid subject";
    if (!seen.insert(subject).second) return "duplicate subjects detected";
    if (subject == ">" && !config.no_ack)
      return "capturing all subjects requires no-ack to be true";
    if (subject == ">" && config.num_replicas != 1)
      return "capturing all subjects requires replicas of 1";
    if (!config.no_ack)
      if (auto text = check_reserved(subject); !text.empty()) return std::string{text};
    auto other = first_overlap(subjects, parts, i);
    if (other < subjects.size())
      return fmt::format("subject {} overlaps with {}", go_printed(subject),
                         go_printed(subjects[other]));
  }
  return {};
}

bool subjects_overlap(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  for (const auto& l : left)
    for (const auto& r : right)
      if (subjects_overlap(l, r)) return true;
  return false;
}

}  // namespace vagus

#include "actors/jetstream/subjects_check.hpp"

#include "actors/jetstream/json_text.hpp"
#include "net/subject.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

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

/// Subjects by place, those apart that only overlap with what is equal.
class subject_places {
public:
  explicit subject_places(const std::vector<std::string>& subjects) : subjects_{subjects} {
    next_equal_.resize(subjects.size(), subjects.size());
    std::unordered_map<std::string_view, size_t> later;
    for (size_t i = subjects.size(); i-- > 0;) {
      (has_wildcard(subjects[i]) ? patterns_ : literals_).push_back(i);
      auto [at, is_new] = later.try_emplace(subjects[i], i);
      if (!is_new) next_equal_[i] = std::exchange(at->second, i);
    }
    std::reverse(patterns_.begin(), patterns_.end());
    std::reverse(literals_.begin(), literals_.end());
  }

  size_t comparisons() const { return patterns_.size() * subjects_.size(); }

  /// The first subject after the one at `i` that overlaps with it; the size if there is none.
  size_t first_overlap(size_t i) const {
    auto found = std::min(next_equal_[i], search(patterns_, i));
    return has_wildcard(subjects_[i]) ? std::min(found, search(literals_, i)) : found;
  }

private:
  size_t search(const std::vector<size_t>& among, size_t i) const {
    for (auto at = std::upper_bound(among.begin(), among.end(), i); at != among.end(); ++at)
      if (subjects_overlap(subjects_[*at], subjects_[i])) return *at;
    return subjects_.size();
  }

  const std::vector<std::string>& subjects_;
  std::vector<size_t> patterns_;
  std::vector<size_t> literals_;
  std::vector<size_t> next_equal_;
};

}  // namespace

std::string check_subjects(const stream_config& config) {
  const auto& subjects = config.subjects;
  subject_places places{subjects};
  if (places.comparisons() > max_subject_comparisons) return "too many subjects with wildcards";
  for (size_t i = 0; i < subjects.size(); ++i) {
    std::string_view subject = subjects[i];
    if (!valid_subject(subject)) return "invalid subject";
    if (subject == ">" && !config.no_ack)
      return "capturing all subjects requires no-ack to be true";
    if (subject == ">" && config.num_replicas != 1)
      return "capturing all subjects requires replicas of 1";
    if (!config.no_ack)
      if (auto text = check_reserved(subject); !text.empty()) return std::string{text};
    auto other = places.first_overlap(i);
    if (other < subjects.size())
      return fmt::format("subject {} overlaps with {}", go_printed(subject),
                         go_printed(subjects[other]));
  }
  return {};
}

bool subjects_overlap(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  std::unordered_set<std::string_view> literals;
  std::vector<std::string_view> patterns;
  for (const auto& l : left) {
    if (has_wildcard(l))
      patterns.push_back(l);
    else
      literals.insert(l);
  }
  auto meets = [](const auto& some, std::string_view subject) {
    return std::any_of(some.begin(), some.end(),
                       [&](std::string_view s) { return subjects_overlap(s, subject); });
  };
  for (const auto& r : right) {
    if (meets(patterns, r)) return true;
    if (has_wildcard(r) ? meets(literals, r) : literals.contains(r)) return true;
  }
  return false;
}

}  // namespace vagus

#include "actors/jetstream/consumer_filters.hpp"

#include "actors/jetstream/subjects_check.hpp"
#include "net/subject.hpp"

#include <algorithm>
#include <unordered_map>

namespace vagus {

namespace {

/// Filters by place, those apart that only equal ones cover.
class filter_places {
public:
  explicit filter_places(const std::vector<std::string>& filters) : filters_{filters} {
    for (size_t i = 0; i < filters.size(); ++i) {
      ++copies_[filters[i]];
      if (has_wildcard(filters[i])) patterns_.push_back(i);
    }
  }

  size_t comparisons() const { return patterns_.size() * filters_.size(); }

  bool covered(size_t i) const {
    if (copies_.at(filters_[i]) > 1) return true;
    return std::any_of(patterns_.begin(), patterns_.end(), [this, i](size_t p) {
      return p != i && subject_covers(filters_[p], filters_[i]);
    });
  }

private:
  const std::vector<std::string>& filters_;
  std::unordered_map<std::string_view, size_t> copies_;
  std::vector<size_t> patterns_;
};

}  // namespace

std::optional<api_error> check_consumer_filters(const consumer_config& config) {
  constexpr std::string_view bad = "invalid subject";
  if (!config.filter_subject.empty()) {
    if (!config.filter_subjects.empty())
      return make_error(js_errc::consumer_duplicate_filter_subjects);
    if (!valid_subject(config.filter_subject))
      return make_error(js_errc::stream_invalid_config, bad);
    return std::nullopt;
  }
  const auto& filters = config.filter_subjects;
  if (std::any_of(filters.begin(), filters.end(), [](const auto& f) { return f.empty(); }))
    return make_error(js_errc::consumer_empty_filter);
  filter_places places{filters};
  if (places.comparisons() > max_subject_comparisons)
    return make_error(js_errc::stream_invalid_config, "too many filter subjects with wildcards");
  for (size_t i = 0; i < filters.size(); ++i) {
    if (!valid_subject(filters[i])) return make_error(js_errc::stream_invalid_config, bad);
    if (places.covered(i)) return make_error(js_errc::consumer_overlapping_subject_filters);
  }
  return std::nullopt;
}

}  // namespace vagus

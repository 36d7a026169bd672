#include "actors/jetstream/consumer_config.hpp"

#include "actors/jetstream/asset_json.hpp"

#include <charconv>

namespace vagus {

std::vector<std::string> consumer_config::filters() const {
  if (!filter_subject.empty()) return {filter_subject};
  return filter_subjects;
}

bool consumer_config::may_rest() const {
  return !mem_storage && !push() && inactive_threshold <= 0 && !pause_until &&
         priority_groups.empty() && deliver_policy != deliver_policy::last_per_subject &&
         replay_policy == replay_policy::instant && rate_limit_bps == 0;
}

int consumer_config::sampled_percent() const {
  int percent = 0;
  const char* from = sample_freq.data();
  const char* end = from + sample_freq.size();
  if (from != end && *from == '+') ++from;
  std::from_chars(from, end, percent);
  return percent;
}

std::string to_json(const consumer_config& config, bool for_answer) {
  return asset_json(config, for_answer);
}

}  // namespace vagus

#pragma once

#include "actors/jetstream/stream_config.hpp"

#include <string>

namespace vagus {

/// How many comparisons of a wildcard with another subject one configuration may need: so many take
/// about a second. Literal subjects do not count.
constexpr size_t max_subject_comparisons = 20'000'000;

/// Why a stream may not have its subjects, or an empty text.
std::string check_subjects(const stream_config& config);

/// Whether some subject would be stored by both streams.
bool subjects_overlap(const std::vector<std::string>& left, const std::vector<std::string>& right);

}  // namespace vagus

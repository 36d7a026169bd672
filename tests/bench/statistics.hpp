#pragma once

#include <vector>

namespace vagus::bench {

/// 0 for no values.
double median(std::vector<double> values);

/// The value that `part` (0 to 1) of them do not exceed; changes their order. There must be one.
double percentile(std::vector<double>& values, double part);

/// Half the distance between the extremes, as a fraction of the median: "median ± 3 %".
double spread(const std::vector<double>& values);

}  // namespace vagus::bench

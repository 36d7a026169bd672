#pragma once

#include <vector>

namespace vagus::bench {

/// 0 for no values.
double median(std::vector<double> values);

/// Half the distance between the extremes, as a fraction of the median: "median ± 3 %".
double spread(const std::vector<double>& values);

}  // namespace vagus::bench

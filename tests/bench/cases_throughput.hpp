#pragma once

#include "cases.hpp"
#include "throughput.hpp"

namespace vagus::bench {

/// One publisher and one subscriber on one subject.
topology one_to_one(size_t payload);

/// Delivered messages per second, or published ones where nobody subscribes.
sample rate_of(const phase& p);

}  // namespace vagus::bench

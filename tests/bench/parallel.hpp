#pragma once

#include <functional>
#include <vector>

namespace vagus::bench {

/// Runs each of `work` on a thread of its own and waits for all. The first `failure` calls
/// `abort_all`, which must end the others, and is thrown again when they have ended.
void in_parallel(const std::vector<std::function<void()>>& work,
                 const std::function<void()>& abort_all);

}  // namespace vagus::bench

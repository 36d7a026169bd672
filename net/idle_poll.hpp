#pragma once

#include <algorithm>
#include <chrono>

namespace vagus {

/// Whether a thread that has nothing to do should look for work for a while before it sleeps.
///
/// To wake a thread costs both sides a system call and, where the core has gone to sleep meanwhile,
/// tens of microseconds, in a virtual machine more. If work mostly comes sooner than that, looking
/// for it costs less, in time and often in CPU. So this keeps score of what looking has brought,
/// and tries again now and then where it has not.
///
/// Belongs to one thread.
class idle_poll {
public:
  /// @param most how long to look; 0: never
  explicit idle_poll(std::chrono::nanoseconds most = {}) : most_{most} {}

  std::chrono::nanoseconds most() const { return most_; }

  /// Asked before each sleep.
  bool worth_it() {
    if (most_.count() == 0) return false;
    return score_ > 0 || ++skipped_ % try_again_after == 0;
  }

  /// What came of it.
  void note(bool found) { score_ = std::clamp(score_ + (found ? gain : -1), 0, highest); }

private:
  static constexpr unsigned try_again_after = 16;
  /// So that one hit in three is worth it.
  static constexpr int gain = 2;
  static constexpr int highest = 16;

  std::chrono::nanoseconds most_;
  int score_ = 0;
  unsigned skipped_ = 0;
};

}  // namespace vagus

#pragma once

#include <algorithm>
#include <chrono>

namespace vagus {

/// Whether a thread that has nothing to do should look for work for a while before it sleeps.
///
/// To wake a thread costs both sides a system call and, where the core has gone to sleep meanwhile,
/// tens of microseconds, in a virtual machine more. If work mostly comes sooner than that, looking
/// for it costs less, in time and often in CPU. So this keeps score of what looking has brought,
/// and tries again now and then where it has not. Where others want the core it is left to them,
/// for longer each time.
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
    if (rest_ > 0) {
      --rest_;
      return false;
    }
    return score_ > 0 || ++skipped_ % try_again_after == 0;
  }

  /// What came of it.
  void note(bool found) {
    score_ = std::clamp(score_ + (found ? gain : -1), 0, highest);
    if (++calm_ == long_calm) last_rest_ = shortest_rest;
  }
  /// Others had the core while this thread looked.
  void note_crowded() {
    score_ = 0;
    calm_ = 0;
    rest_ = last_rest_;
    last_rest_ = std::min(2 * last_rest_, longest_rest);
  }

private:
  static constexpr unsigned try_again_after = 16;
  /// So that one hit in three is worth it.
  static constexpr int gain = 2;
  static constexpr int highest = 16;
  // In sleeps.
  static constexpr unsigned shortest_rest = 1024;
  static constexpr unsigned longest_rest = 65536;
  /// So often nobody else wanted the core: what was is forgotten.
  static constexpr unsigned long_calm = 4096;

  std::chrono::nanoseconds most_;
  int score_ = 0;
  unsigned skipped_ = 0;
  unsigned rest_ = 0;
  unsigned last_rest_ = shortest_rest;
  unsigned calm_ = 0;
};

}  // namespace vagus

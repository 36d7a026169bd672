#pragma once

#include "actors/interfaces.hpp"
#include "actors/loop_context.hpp"

namespace vagus {

/// Fires the timers of one event loop every 100 ms, on the actor clock.
class timekeeper_state {
public:
  using handle = timekeeper_actor;
  static constexpr const char* name = "timekeeper";

  /// @param context of the loop that it is pinned to; outlives it
  timekeeper_state(handle::pointer self, loop_context& context);

  handle::behavior_type behavior();
  void after_run() {}

  static constexpr std::chrono::milliseconds resolution{100};

private:
  void tick();

  handle::pointer self_;
  loop_context& context_;
};

}  // namespace vagus

#pragma once

#include "actors/interfaces.hpp"
#include "actors/loop_context.hpp"

namespace vagus {

/// Fires the timers of one event loop when the first of them is due, to about a millisecond, on the
/// actor clock: clients give up a few milliseconds after the time that they have given the server.
/// Every 100 ms it also brings the loop's clocks up to date.
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
  void fire();
  void wake_at(timed::time_point when);

  handle::pointer self_;
  loop_context& context_;
  timed::time_point next_tick_;
  timed::time_point awaited_;  ///< when `fire` comes
};

}  // namespace vagus

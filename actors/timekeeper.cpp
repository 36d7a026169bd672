#include "actors/timekeeper.hpp"

#include "actors/supervision.hpp"

#include <algorithm>

namespace vagus {

namespace {

/// However many timers there are.
constexpr std::chrono::milliseconds shortest_wait{1};

}  // namespace

timekeeper_state::timekeeper_state(handle::pointer self, loop_context& context)
    : self_{self}, context_{context} {}

void timekeeper_state::tick() {
  next_tick_ = self_->clock().now() + resolution;
  self_->delayed_send(self_, resolution, tick_atom::value);
  fire();
}

void timekeeper_state::fire() {
  auto now = self_->clock().now();
  context_.loop_time = now;
  if (context_.wall_clock_follows) {
    auto wall = std::chrono::system_clock::now().time_since_epoch();
    context_.wall_offset_ns = std::chrono::nanoseconds{wall}.count() -
                              std::chrono::nanoseconds{now.time_since_epoch()}.count();
  }
  context_.wall_time_ns = context_.wall_now(now);
  awaited_ = next_tick_;
  context_.deadlines.expect(awaited_);
  context_.deadlines.fire(now);
  wake_at(context_.deadlines.first());
}

/// Earlier than what is awaited. What was awaited before then comes for nothing.
void timekeeper_state::wake_at(timed::time_point when) {
  auto now = self_->clock().now();
  when = std::max(when, now + shortest_wait);
  if (when >= awaited_) return;
  awaited_ = when;
  context_.deadlines.expect(when);
  self_->delayed_send(self_, when - now, fire_atom::value);
}

timekeeper_actor::behavior_type timekeeper_state::behavior() {
  supervise(self_);
  context_.deadlines.expect({}, [this](timed::time_point when) { wake_at(when); });
  tick();
  return {
      [this](tick_atom) { tick(); },
      [this](fire_atom) {
        if (self_->clock().now() >= awaited_) fire();
      },
      [this](reload_atom, const settings_ptr& s) {
        context_.current = s;
        context_.tracing = s->opts.trace;
      },
      [this](end_atom) {
        // What the loop holds of actors is given up on the loop's own thread.
        context_.server = nullptr;
        context_.authenticator = nullptr;
        context_.read_buffer = nullptr;
        context_.deadlines.expect(timed::time_point::min());
        self_->quit();
      },
  };
}

}  // namespace vagus

#include "actors/timekeeper.hpp"

#include "actors/supervision.hpp"

namespace vagus {

timekeeper_state::timekeeper_state(handle::pointer self, loop_context& context)
    : self_{self}, context_{context} {}

void timekeeper_state::tick() {
  auto now = self_->clock().now();
  context_.loop_time = now;
  if (context_.wall_clock_follows) {
    auto wall = std::chrono::system_clock::now().time_since_epoch();
    context_.wall_offset_ns = std::chrono::nanoseconds{wall}.count() -
                              std::chrono::nanoseconds{now.time_since_epoch()}.count();
  }
  context_.wall_time_ns = context_.wall_now(now);
  context_.deadlines.fire(now);
  self_->delayed_send(self_, resolution, tick_atom::value);
}

timekeeper_actor::behavior_type timekeeper_state::behavior() {
  supervise(self_);
  tick();
  return {
      [this](tick_atom) { tick(); },
      [this](reload_atom, const settings_ptr& s) {
        context_.current = s;
        context_.tracing = s->opts.trace;
      },
      [this](end_atom) {
        // What the loop holds of actors is given up on the loop's own thread.
        context_.server = nullptr;
        context_.authenticator = nullptr;
        context_.read_buffer = nullptr;
        self_->quit();
      },
  };
}

}  // namespace vagus

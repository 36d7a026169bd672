#pragma once

#include "net/event_loop.hpp"

#include <caf/actor_system.hpp>

#include <optional>
#include <utility>

namespace vagus {

/// An actor that always runs on one event loop: its message handlers and its socket handlers share
/// a thread. `State` names the actor (`static constexpr const char* name`), its interface
/// (`using handle`), is constructed from the actor and the arguments of spawn_pinned, and gives the
/// behavior (`behavior()`); `after_run()` is called after every turn of messages. A state that has
/// a member type `open_to_guests` may be run by other loops while its own sleeps: it touches
/// nothing of the loop's io_context.
template <class State>
class pinned_actor : public State::handle::base {
public:
  using super = typename State::handle::base;

  template <class... Ts>
  pinned_actor(caf::actor_config& cfg, event_loop& loop, Ts&&... xs) : super{cfg}, loop_{loop} {
    state_.emplace(this, std::forward<Ts>(xs)...);
  }

  event_loop& loop() const { return loop_; }
  State& state() { return *state_; }

  const char* name() const override { return State::name; }

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) override {
    if constexpr (requires { typename State::open_to_guests; })
      super::enqueue(std::move(element), &loop_.open_to_guests());
    else
      super::enqueue(std::move(element), &loop_);
  }

  caf::resumable::resume_result resume(caf::execution_unit* unit, size_t throughput) override {
    auto result = super::resume(unit, throughput);
    if (state_ && result != caf::resumable::done) state_->after_run();
    return result;
  }

  void on_exit() override { state_.reset(); }

protected:
  typename super::behavior_type make_behavior() override { return state_->behavior(); }

private:
  event_loop& loop_;
  std::optional<State> state_;
};

/// Spawns `State`'s actor on `loop`; may be called from any thread.
template <class State, class... Ts>
typename State::handle spawn_pinned(caf::actor_system& system, event_loop& loop, Ts&&... xs) {
  caf::actor_config cfg{&loop};
  return system.spawn_class<pinned_actor<State>, caf::no_spawn_options>(cfg, loop,
                                                                        std::forward<Ts>(xs)...);
}

}  // namespace vagus

#pragma once

#include "net/idle_poll.hpp"

#include <sched.h>
#include <utility>

namespace vagus {

/// Looks for work until `found` says that there is some, for as long as `poll` allows, and tells it
/// what came of it. Whoever else has use for the core has it in between. True: there is work.
template <class F>
bool look_around(idle_poll& poll, F&& found) {
  /// Who gives way to others for longer has a core that it should leave to them: to be woken it
  /// then waits less than to have its turn again.
  constexpr std::chrono::microseconds longest_yield{150};
  auto now = std::chrono::steady_clock::now();
  auto until = now + poll.most();
  bool any = false;
  bool crowded = false;
  while (!any && !crowded && now < until) {
    any = found();
    if (any) break;
    sched_yield();
    auto before = std::exchange(now, std::chrono::steady_clock::now());
    crowded = now - before > longest_yield;
  }
  if (crowded)
    poll.note_crowded();
  else
    poll.note(any);
  return any;
}

}  // namespace vagus

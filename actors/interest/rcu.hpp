#pragma once

#include <urcu/urcu-memb.h>

#include <utility>

namespace vagus {

/// While one lives, nothing that the thread can reach in an interest snapshot is freed. Cheap; may
/// be nested. The thread must be registered with liburcu (event loops are).
class snapshot_guard {
public:
  snapshot_guard() { urcu_memb_read_lock(); }
  ~snapshot_guard() { urcu_memb_read_unlock(); }
  snapshot_guard(const snapshot_guard&) = delete;
  snapshot_guard& operator=(const snapshot_guard&) = delete;
};

namespace detail {

template <class F>
struct retired {
  rcu_head head;
  F release;

  static void run(rcu_head* h) {
    auto* self = reinterpret_cast<retired*>(h);
    self->release();
    delete self;
  }
};

}  // namespace detail

/// Calls `release` once every reader that might still see what it frees is gone, on a thread of
/// liburcu.
template <class F>
void retire(F release) {
  auto* r = new detail::retired<F>{{}, std::move(release)};
  urcu_memb_call_rcu(&r->head, &detail::retired<F>::run);
}

}  // namespace vagus

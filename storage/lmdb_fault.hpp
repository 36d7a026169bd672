#pragma once

#include <atomic>
#include <csetjmp>
#include <lmdb.h>

namespace vagus {

/// What `lmdb_call` answers when LMDB went astray; no code of LMDB's or of the system's.
constexpr int lmdb_astray = -30700;

/// Where a fault of this thread leads to; null: nowhere, it ends the process.
inline constinit thread_local sigjmp_buf* fault_landing = nullptr;

/// Runs `f`, which looks at bytes of a store's file. False: they are not there, and `f` was left in
/// the middle. So nothing that has to be ended may begin in it: no object with a destructor, no
/// lock. Does not nest.
template <class F>
[[gnu::noinline]] bool survives_damage(F&& f) {
  sigjmp_buf here;
  if (sigsetjmp(here, 0) != 0) {
    fault_landing = nullptr;
    return false;
  }
  fault_landing = &here;
  std::atomic_signal_fence(std::memory_order_seq_cst);  // for the handler, nothing may leave here
  f();
  std::atomic_signal_fence(std::memory_order_seq_cst);
  fault_landing = nullptr;
  return true;
}

/// Calls a function of LMDB that may look at pages: its code, or `lmdb_astray`. What changes a
/// transaction goes by `lmdb_change` (lmdb_pages.hpp).
template <class... P, class... A>
int lmdb_call(int (*f)(P...), A... args) {
  int code = 0;
  return survives_damage([&] { code = f(args...); }) ? code : lmdb_astray;
}

/// Has faults lead to `survives_damage`, in the whole process; a fault outside of it ends the
/// process, as ever. Each time that an environment is opened, as others may have come in between.
void expect_damage();

/// Has LMDB go astray where it would end the process.
void give_up_gently(MDB_env* env);

}  // namespace vagus

#include "storage/lmdb_fault.hpp"

#include <csetjmp>
#include <csignal>
#include <mutex>
#include <utility>

/// Reading a damaged page
/// ----------------------
/// A bit that has changed on the disk can be in a page's own structure: where its entries lie, and
/// which pages are below it. LMDB then reads at places that are not mapped, which the system tells
/// by SIGSEGV, or SIGBUS behind the end of the file. One stream's file must not keep a server from
/// starting that has a hundred others. So while a store is opened such a fault leads back to where
/// that began. What lies in between is abandoned as it is: memory leaks, and a lock may stay
/// taken; that is why the environment is never touched again.
///
/// Limits. Damage that leads LMDB nowhere in particular, or that shows only later, is not seen
/// here. Once a store is open, a fault in it ends the process.

namespace vagus {

namespace {

thread_local sigjmp_buf* landing = nullptr;
struct sigaction former[2];

void on_fault(int signal, siginfo_t*, void*) {
  if (landing != nullptr) siglongjmp(*landing, 1);
  // Nobody is prepared: it happens again, to whom it would have happened without us.
  ::sigaction(signal, &former[signal == SIGSEGV ? 0 : 1], nullptr);
}

void install(int signal, struct sigaction& before) {
  struct sigaction now {};
  ::sigaction(signal, nullptr, &now);
  if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_fault) return;
  before = now;
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

/// Each time, as others may have put theirs in its place.
void install() {
  static std::mutex mutex;
  std::lock_guard lock{mutex};
  install(SIGSEGV, former[0]);
  install(SIGBUS, former[1]);
}

}  // namespace

bool survives_damage(const std::function<void()>& f) {
  install();
  sigjmp_buf here;
  struct prepared {
    explicit prepared(sigjmp_buf* at) : outer{std::exchange(landing, at)} {}
    ~prepared() { landing = outer; }
    sigjmp_buf* outer;
  } until_the_end{&here};
  if (sigsetjmp(here, 1) != 0) return false;
  f();
  return true;
}

void give_up_gently(MDB_env* env) {
  mdb_env_set_assert(env, [](MDB_env*, const char*) {
    if (landing != nullptr) siglongjmp(*landing, 1);
  });
}

}  // namespace vagus

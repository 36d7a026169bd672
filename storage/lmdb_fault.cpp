#include "storage/lmdb_fault.hpp"

#include <csignal>
#include <iterator>
#include <mutex>

/// Reading a damaged page
/// ----------------------
/// A bit that has changed on the disk can be in a page's own structure: where its entries lie, and
/// which pages are below it. LMDB's pages have no checksums, and it follows what they say: it reads
/// at places that are not mapped, which the system tells by SIGSEGV, or SIGBUS behind the end of
/// the file. One stream's file must not end a server that has a hundred others.
///
/// Operation. Every call of LMDB that may look at a page is made by `lmdb_call` or `lmdb_change`,
/// and everything else that reads bytes of the file for the first time by `survives_damage`: keys
/// in `lmdb_cursor::move`, values while their checksum is computed, after which all of their bytes
/// are known to be there. A fault leads back out of LMDB and no further, where only frames of LMDB
/// lie in between. From there on it is a `store_failure` as any other, with `corrupt`, so that
/// cursors are closed, transactions are aborted and locks are given back. Reading leaves nothing
/// behind in LMDB. What a change leaves behind is seen to by `forget_change` (lmdb_pages.cpp).
///
/// What a page says is checked before LMDB changes it (lmdb_pages.cpp): LMDB copies a page to the
/// heap and moves its entries about, as its header says, and what is written outside of the copy
/// is not seen by anybody.
///
/// What LMDB had just allocated when a change or an opening was left in the middle is lost: a page
/// or two of memory.
///
/// Limits. Damage that leads LMDB nowhere in particular is not seen here: a wrong key is like a
/// message that was removed. What was read once is taken to stay readable while its snapshot is
/// open: a file that is cut short, or a disk that fails, between the checksum of a message and the
/// copying of its payload ends the process. So does damage that comes between the check of all
/// pages and LMDB's compact copy of them. lmdb_pages.cpp says what is not checked before changes.

namespace vagus {

namespace {

/// The last is for a page size of zero.
constexpr int faults[] = {SIGSEGV, SIGBUS, SIGFPE};
struct sigaction former[std::size(faults)];

void on_fault(int signal, siginfo_t* info, void*) {
  if (fault_landing != nullptr && info->si_code > 0) siglongjmp(*fault_landing, 1);
  // Nobody is prepared: it happens again, to whom it would have happened without us.
  for (size_t i = 0; i < std::size(faults); ++i)
    if (faults[i] == signal) ::sigaction(signal, &former[i], nullptr);
  if (info->si_code <= 0) ::raise(signal);  // somebody has sent it
}

/// With SA_NODEFER, and so without a mask that would have to be kept for each call.
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

}  // namespace

void expect_damage() {
  static std::mutex mutex;
  std::lock_guard lock{mutex};
  for (size_t i = 0; i < std::size(faults); ++i) install(faults[i], former[i]);
}

void give_up_gently(MDB_env* env) {
  mdb_env_set_assert(env, [](MDB_env*, const char*) {
    if (fault_landing != nullptr) siglongjmp(*fault_landing, 1);
  });
}

}  // namespace vagus

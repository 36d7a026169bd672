#include "actors/jetstream/storage_worker.hpp"

#include "actors/supervision.hpp"

#include <caf/send.hpp>

namespace vagus {

namespace {

/// The worker whose job runs on this thread.
thread_local storage_worker_actor::pointer current_worker = nullptr;

}  // namespace

bool more_jobs_wait() {
  return current_worker != nullptr && !current_worker->mailbox().empty();
}

storage_worker_actor::behavior_type storage_worker(storage_worker_actor::pointer self) {
  supervise(self);
  return {
      [self](run_atom, const storage_job& job) {
        current_worker = self;
        (*job)();
        current_worker = nullptr;
      },
      [self](end_atom) { self->quit(); },
  };
}

void run_on(const storage_worker_actor& worker, std::function<void()> job) {
  caf::anon_send(worker, run_atom::value,
                 std::make_shared<const std::function<void()>>(std::move(job)));
}

}  // namespace vagus

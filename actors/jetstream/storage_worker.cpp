#include "actors/jetstream/storage_worker.hpp"

#include "actors/supervision.hpp"

#include <caf/send.hpp>

namespace vagus {

storage_worker_actor::behavior_type storage_worker(storage_worker_actor::pointer self) {
  supervise(self);
  return {
      [](run_atom, const storage_job& job) { (*job)(); },
      [self](end_atom) { self->quit(); },
  };
}

void run_on(const storage_worker_actor& worker, std::function<void()> job) {
  caf::anon_send(worker, run_atom::value,
                 std::make_shared<const std::function<void()>>(std::move(job)));
}

}  // namespace vagus

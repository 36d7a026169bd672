#include "actors/jetstream/storage_worker.hpp"

#include "actors/supervision.hpp"

namespace vagus {

storage_worker_actor::behavior_type storage_worker(storage_worker_actor::pointer self) {
  supervise(self);
  return {
      [](run_atom, const storage_job& job) { (*job)(); },
      [self](end_atom) { self->quit(); },
  };
}

}  // namespace vagus

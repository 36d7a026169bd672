#pragma once

#include "actors/interfaces.hpp"

#include <cstddef>
#include <functional>
#include <vector>

namespace vagus {

/// Runs what may wait for a disk: commits, opening, scans of a whole stream. Spawn it detached, so
/// that it has a thread of its own. The jobs of one worker run in the order in which they came.
storage_worker_actor::behavior_type storage_worker(storage_worker_actor::pointer self);

/// Asked by a job: whether others wait for it to end.
bool more_jobs_wait();

/// Hands it a job.
void run_on(const storage_worker_actor& worker, std::function<void()> job);

/// The storage threads of the process. Writers commit; readers scan, so that no commit waits for a
/// scan. A stream keeps the one it was given: its commits stay in order.
struct storage_workers {
  std::vector<storage_worker_actor> writers;
  std::vector<storage_worker_actor> readers;
  std::vector<storage_worker_actor> copiers;  ///< whole streams, for snapshots

  const storage_worker_actor& next_copier() { return copiers[next_copier_++ % copiers.size()]; }
  const storage_worker_actor& next_writer() { return writers[next_writer_++ % writers.size()]; }
  const storage_worker_actor& next_reader() { return readers[next_reader_++ % readers.size()]; }

private:
  std::atomic<size_t> next_writer_{0};
  std::atomic<size_t> next_reader_{0};
  std::atomic<size_t> next_copier_{0};
};

}  // namespace vagus

#pragma once

#include "actors/jetstream/stream_batch.hpp"
#include "net/look_around.hpp"

#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>

namespace vagus {

/// The batches of one stream on the way to its storage thread, which takes one when it is done with
/// the one before, without asking the stream: what arrives during a commit is the next, and the
/// disk does not wait for an event loop. Until it is taken, the stream may have the last one back
/// to add to it. Shared by the two; every member may be called by either.
class commit_queue {
public:
  /// @param idle_poll how long the storage thread looks for the next batch before it sleeps
  explicit commit_queue(std::chrono::nanoseconds idle_poll = {}) : idle_poll_{idle_poll} {}

  /// True: the storage thread has nothing at hand, and is to be told.
  bool push(stream_batch_ptr batch) {
    std::lock_guard lock{mutex_};
    batches_.push_back(std::move(batch));
    return !std::exchange(busy_, true);
  }

  /// The last batch, unless it has been taken or has `full` bytes; else null.
  stream_batch_ptr take_back(size_t full) {
    std::lock_guard lock{mutex_};
    if (batches_.empty() || batches_.back()->size() >= full) return nullptr;
    auto last = std::move(batches_.back());
    batches_.pop_back();
    return last;
  }

  /// The next batch for the storage thread. Null: the stream has it back.
  stream_batch_ptr take() {
    std::lock_guard lock{mutex_};
    if (batches_.empty()) {
      busy_ = false;
      return nullptr;
    }
    auto next = std::move(batches_.front());
    batches_.pop_front();
    return next;
  }

  /// The storage thread looks for the next batch for a while, where that has been worth it: who
  /// publishes one message after the other has the next one ready sooner than a thread wakes.
  /// `wanted_elsewhere` ends it too.
  template <class F>
  void linger(F&& wanted_elsewhere) {
    if (!waits() && idle_poll_.worth_it())
      look_around(idle_poll_, [&] { return waits() || wanted_elsewhere(); });
  }

  /// Asked by the storage thread when it is done with a batch. False: it will be told of the next.
  bool more() {
    std::lock_guard lock{mutex_};
    busy_ = !batches_.empty();
    return busy_;
  }

private:
  bool waits() {
    std::lock_guard lock{mutex_};
    return !batches_.empty();
  }

  std::mutex mutex_;
  std::deque<stream_batch_ptr> batches_;
  bool busy_ = false;
  idle_poll idle_poll_;  ///< the storage thread's
};

}  // namespace vagus

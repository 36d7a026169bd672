#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vagus {

/// One thread with an Asio io_context, which is also a CAF execution unit: actors pinned to it run
/// their message handlers on the same thread as their socket handlers, so that nothing between the
/// two needs a lock. `exec_later` may be called from any thread.
///
/// The thread is registered with liburcu for its whole life, so that its handlers may read the
/// interest snapshots.
class event_loop final : public caf::execution_unit {
public:
  event_loop(caf::actor_system& system, size_t index);
  ~event_loop() override;

  /// Called on the loop's thread when a handler has thrown; the loop goes on if it returns.
  using failure_handler = std::function<void(const std::string& what)>;

  /// Starts the thread. Call once.
  void start(failure_handler on_failure);

  /// Asks the thread to end after what is queued, and waits for it. Actors pinned to the loop must
  /// have ended before.
  void stop();

  /// Runs what is ready now on the calling thread, without blocking: for tests, in place of start.
  /// Returns how many handlers and turns of actors that were.
  size_t run_ready();

  void exec_later(caf::resumable* job) override;

  boost::asio::io_context& io() { return io_; }
  size_t index() const { return index_; }

  /// The loop whose thread this is, or null.
  static event_loop* current();

private:
  void run();
  void turn();
  void take_remote();
  size_t run_local(size_t limit);

  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  size_t index_;
  std::deque<caf::resumable*> local_;
  std::mutex remote_mutex_;
  std::vector<caf::resumable*> remote_;
  std::vector<caf::resumable*> taken_;
  std::atomic<bool> remote_pending_{false};
  std::atomic<bool> stopping_{false};
  failure_handler on_failure_;
  std::thread thread_;
};

/// The loops of a process. Connections are dealt out to them in turn.
class event_loops {
public:
  event_loops(caf::actor_system& system, size_t count);
  ~event_loops();

  void start(const event_loop::failure_handler& on_failure);
  void stop();
  size_t size() const { return loops_.size(); }
  event_loop& at(size_t index) { return *loops_[index]; }
  event_loop& next() { return *loops_[next_.fetch_add(1) % loops_.size()]; }

private:
  std::vector<std::unique_ptr<event_loop>> loops_;
  std::atomic<size_t> next_{0};
};

}  // namespace vagus

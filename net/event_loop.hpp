#pragma once

#include "net/idle_poll.hpp"
#include "net/poller.hpp"
#include "net/turn_lock.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vagus {

/// One thread with the sockets that it watches, an Asio io_context for what is rarer, and a CAF
/// execution unit: actors pinned to it run their message handlers in the same turns as their socket
/// handlers, so that nothing between the two needs a lock. `exec_later` may be called from any
/// thread.
///
/// "The loop's thread" is whoever has its turn: the thread of its own, or for a few actors the
/// thread of another loop that has mail for them while this one sleeps (event_loop.cpp says how).
/// All loops' threads are registered with liburcu for their whole life, so that handlers may read
/// the interest snapshots.
class event_loop final : public caf::execution_unit {
public:
  /// @param idle_poll how long the thread looks for work before it sleeps (option `idle_poll`)
  event_loop(caf::actor_system& system, size_t index, std::chrono::nanoseconds idle_poll = {});
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

  void exec_later(caf::resumable* actor) override { enqueue({actor, false}); }

  /// The same loop, for actors that other loops' threads may run while this one sleeps. They use
  /// `io()` in no way.
  caf::execution_unit& open_to_guests() { return guest_entrance_; }

  /// For sockets that carry traffic.
  poller& descriptors() { return poller_; }

  /// For everything else that waits. Handlers run in turns of this loop's own thread; post from
  /// there only.
  boost::asio::io_context& io() { return io_; }
  size_t index() const { return index_; }

  /// The loop whose turn the calling thread has, or null.
  static event_loop* current();

private:
  struct job {
    caf::resumable* actor;
    bool guests_may;  ///< run it
  };

  struct guest_entrance final : caf::execution_unit {
    guest_entrance(caf::actor_system& system, event_loop& l)
        : caf::execution_unit{&system}, loop{l} {}
    void exec_later(caf::resumable* actor) override { loop.enqueue({actor, true}); }
    event_loop& loop;
  };

  struct asio_watcher final : watcher {
    explicit asio_watcher(event_loop& l) : loop{l} {}
    void on_ready(uint32_t) override { loop.io_.poll(); }
    event_loop& loop;
  };

  void run();
  void turn();
  size_t sleep();
  bool look_around(size_t& ready);
  void tell();
  void enqueue(job j);
  bool take_remote();
  size_t run_local(size_t limit, bool as_guest = false);
  void visit();
  static size_t visit_all();
  static void wake_all();

  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  poller poller_;
  asio_watcher asio_watcher_{*this};
  guest_entrance guest_entrance_;
  size_t index_;
  turn_lock turn_;
  bool asio_due_ = true;  ///< the io_context may have something queued
  std::deque<job> local_;
  std::mutex remote_mutex_;
  std::vector<job> remote_;
  std::vector<job> taken_;
  std::atomic<bool> remote_pending_{false};
  /// The thread will look at remote_pending_ before it sleeps: nobody has to wake it.
  std::atomic<bool> looking_{false};
  idle_poll idle_poll_;
  std::atomic<bool> stopping_{false};
  failure_handler on_failure_;
  std::thread thread_;
};

/// The loops of a process. Connections are dealt out to them in turn.
class event_loops {
public:
  event_loops(caf::actor_system& system, size_t count, std::chrono::nanoseconds idle_poll = {});
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

#include "net/event_loop.hpp"

#include <boost/asio/post.hpp>
#include <urcu/urcu-memb.h>

namespace vagus {

namespace {

thread_local event_loop* current_loop = nullptr;

/// Messages that one actor may handle before others get their turn.
constexpr size_t throughput = 64;
/// Actors that may run before sockets get their turn.
constexpr size_t actors_per_turn = 64;

}  // namespace

event_loop* event_loop::current() {
  return current_loop;
}

event_loop::event_loop(caf::actor_system& system, size_t index)
    : caf::execution_unit{&system}, work_{io_.get_executor()}, index_{index} {}

event_loop::~event_loop() {
  stop();
  take_remote();
  for (auto* job : local_) caf::intrusive_ptr_release(job);
}

void event_loop::start(failure_handler on_failure) {
  on_failure_ = std::move(on_failure);
  thread_ = std::thread{[this] { run(); }};
}

void event_loop::stop() {
  if (!thread_.joinable()) return;
  boost::asio::post(io_, [this] { stopping_ = true; });
  thread_.join();
}

void event_loop::exec_later(caf::resumable* job) {
  if (current_loop == this) {
    local_.push_back(job);
    return;
  }
  {
    std::lock_guard lock{remote_mutex_};
    remote_.push_back(job);
  }
  // One wake-up for all that arrives until the loop has taken it.
  if (!remote_pending_.exchange(true)) boost::asio::post(io_, [this] { take_remote(); });
}

void event_loop::take_remote() {
  remote_pending_ = false;
  {
    std::lock_guard lock{remote_mutex_};
    taken_.swap(remote_);
  }
  local_.insert(local_.end(), taken_.begin(), taken_.end());
  taken_.clear();
}

size_t event_loop::run_local(size_t limit) {
  size_t ran = 0;
  for (; ran < limit && !local_.empty(); ++ran) {
    auto* job = local_.front();
    local_.pop_front();
    switch (job->resume(this, throughput)) {
      case caf::resumable::resume_later:
        local_.push_back(job);
        break;
      default:
        caf::intrusive_ptr_release(job);
    }
  }
  return ran;
}

/// Waits until there is something to do, and does what there is.
void event_loop::turn() {
  // All sockets that are ready are read before actors run, so that what they have for one
  // destination leaves in one write.
  if (local_.empty()) io_.run_one();
  io_.poll();
  run_local(actors_per_turn);
}

void event_loop::run() {
  current_loop = this;
  urcu_memb_register_thread();
  while (!stopping_) {
    try {
      turn();
    } catch (const std::exception& e) {
      on_failure_(e.what());
    }
  }
  urcu_memb_unregister_thread();
  current_loop = nullptr;
}

size_t event_loop::run_ready() {
  auto* outer = current_loop;
  current_loop = this;
  io_.restart();
  size_t total = 0;
  for (size_t ran = 1; ran > 0; total += ran) {
    ran = run_local(actors_per_turn);
    ran += io_.poll();
  }
  current_loop = outer;
  return total;
}

event_loops::event_loops(caf::actor_system& system, size_t count) {
  for (size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<event_loop>(system, i));
}

event_loops::~event_loops() {
  stop();
}

void event_loops::start(const event_loop::failure_handler& on_failure) {
  for (auto& loop : loops_) loop->start(on_failure);
}

void event_loops::stop() {
  for (auto& loop : loops_) loop->stop();
}

}  // namespace vagus

#include "net/event_loop.hpp"

#include "net/asio_descriptor.hpp"
#include "net/look_around.hpp"

#include <urcu/urcu-memb.h>

#include <utility>

/// Turns and guests
/// ----------------
/// Everything that belongs to a loop happens in turns: handlers of sockets that are ready, then
/// actors that have mail. Whoever has the loop's turn_lock has the turn. The loop's own thread
/// keeps it from one turn to the next, and gives it back only while it sleeps in epoll_wait.
///
/// Waking a thread costs more than handling a message: a system call here, one there, and a switch.
/// So a thread that has mail for a sleeping loop takes that loop's turn itself, runs the actors
/// that have got mail, and gives the turn back: it is a guest. `current()` is the host meanwhile,
/// so that what the actors do is the same. A request from one loop's client to another's, and its
/// answer, so need two threads to wake, those of the two clients' sockets, and not four.
///
/// Operation. enqueue() puts the actor on the host's remote list and, where it is the first there,
/// notes the host in `to_visit`. A turn that began idle, with a socket or two, and leaves nothing
/// to do pays its visits. A thread that has work of its own left wakes the hosts instead, and so
/// does one that was busy before its turn, or has many sockets to read in it: there both have
/// enough to do, and side by side is better than in a row. Threads without a loop (the actor
/// clock, liburcu's) always wake.
///
/// No mail is forgotten. The sender first sets remote_pending_, then looks whether the turn is
/// free; who has the turn first gives it back, then looks at remote_pending_. All four are
/// sequentially consistent, so that at least one of the two sees the other. If the sender does, it
/// visits or wakes; if the holder does, it takes the turn again (the loop's own thread) or visits
/// again and then wakes (a guest). A wake-up is an event of the poller, and stays until the thread
/// sleeps.
///
/// No deadlock. A thread waits for one turn only, its own, and holds none then. A guest only tries,
/// and has besides its own turn that of one host: a guest turn within another is not entered but
/// noted, and its mail for the guest's own loop is found when that loop's turn goes on.
///
/// What holds under the turn. Members of the loop, its actors, its loop_context, router slots of
/// its index, places of the poller: used by who has the turn alone, and handed over with it (the
/// lock orders one turn before the next). Read sections of liburcu begin and end within a handler,
/// on registered threads. Events that the sleeping thread has already got from epoll name their
/// places by generation, so that a socket which a guest has closed in the meantime is told nothing;
/// one that a guest has read empty reads "would block". thread_local scratch space is never held
/// across handlers.
///
/// What guests may not do. Work that is queued in the io_context shows in no descriptor: only the
/// loop's own thread looks for it, before it sleeps. Actors that use Asio do not enter by
/// open_to_guests(); a guest leaves them, wakes the thread, and goes.
///
/// Limits. A guest runs at most actors_per_visit actors, each at most `throughput` messages and one
/// write of bounded size; a thread pays at most visits_in_a_row visits before it looks at its own
/// sockets again. Whoever is over is woken. The host's thread may find its turn taken when it
/// wakes: it waits for that long.

namespace vagus {

namespace {

/// Messages that one actor may handle before others get their turn.
constexpr size_t throughput = 64;
/// Actors that may run before sockets get their turn.
constexpr size_t actors_per_turn = 64;
/// Actors that a guest runs before it leaves the rest to their own thread.
constexpr size_t actors_per_visit = 32;
/// Visits that a thread pays in a row; further loops are woken.
constexpr size_t visits_in_a_row = 16;
/// Sockets that were ready for a turn that may still end with visits.
constexpr size_t ready_for_visits = 2;

/// Loops that have mail from this thread, and that it has not yet looked at.
thread_local std::vector<event_loop*> to_visit;
/// This thread defers telling loops of their mail to the end of its turn.
thread_local bool defers = false;
thread_local event_loop* current_loop = nullptr;

/// Has the turn of a loop, and is on that loop, as long as it lives.
class on_turn {
public:
  on_turn(event_loop* loop, turn_lock& turn) : turn_{turn}, outer_{current_loop} {
    current_loop = loop;
  }
  ~on_turn() {
    current_loop = outer_;
    turn_.give_back();
  }
  on_turn(const on_turn&) = delete;
  on_turn& operator=(const on_turn&) = delete;

private:
  turn_lock& turn_;
  event_loop* outer_;
};

}  // namespace

event_loop* event_loop::current() {
  return current_loop;
}

event_loop::event_loop(caf::actor_system& system, size_t index, std::chrono::nanoseconds idle_poll)
    : caf::execution_unit{&system},
      work_{io_.get_executor()},
      guest_entrance_{system, *this},
      index_{index},
      idle_poll_{idle_poll} {
  poller_.watch(poller_.add(asio_watcher_), asio_descriptor(io_), 0, EPOLLIN);
}

event_loop::~event_loop() {
  stop();
  take_remote();
  for (auto& j : local_) caf::intrusive_ptr_release(j.actor);
}

void event_loop::start(failure_handler on_failure) {
  on_failure_ = std::move(on_failure);
  thread_ = std::thread{[this] { run(); }};
}

void event_loop::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  poller_.wake();
  thread_.join();
}

// ---- mail ----

void event_loop::enqueue(job j) {
  if (current_loop == this) {
    local_.push_back(j);
    return;
  }
  {
    std::lock_guard lock{remote_mutex_};
    remote_.push_back(j);
  }
  // Who is first tells the loop, for all that arrives until it is taken.
  if (remote_pending_.exchange(true)) return;
  if (j.guests_may && defers && !looking_)
    to_visit.push_back(this);
  else
    tell();
}

/// That there is mail. Who has the turn, or looks around, finds it without being woken.
void event_loop::tell() {
  if (!turn_.taken() && !looking_) poller_.wake();
}

bool event_loop::take_remote() {
  if (!remote_pending_.load(std::memory_order_relaxed)) return false;
  remote_pending_ = false;
  {
    std::lock_guard lock{remote_mutex_};
    taken_.swap(remote_);
  }
  local_.insert(local_.end(), taken_.begin(), taken_.end());
  taken_.clear();
  return true;
}

size_t event_loop::run_local(size_t limit, bool as_guest) {
  size_t ran = 0;
  for (; ran < limit && !local_.empty(); ++ran) {
    auto next = local_.front();
    if (!next.guests_may) {
      if (as_guest) break;
      asio_due_ = true;
    }
    local_.pop_front();
    switch (next.actor->resume(this, throughput)) {
      case caf::resumable::resume_later:
        local_.push_back(next);
        break;
      default:
        caf::intrusive_ptr_release(next.actor);
    }
  }
  return ran;
}

// ---- guests ----

/// A guest turn, if nobody has the turn: else whoever has it looks for mail when giving it back.
void event_loop::visit() {
  for (int again = 0; again < 2; ++again) {
    if (!turn_.try_take()) return;
    bool left = false;
    {
      on_turn guest{this, turn_};
      take_remote();
      run_local(actors_per_visit, true);
      left = !local_.empty();
    }
    if (left) break;
    if (!remote_pending_) return;
  }
  poller_.wake();
}

/// Pays the visits that are due, those that they give rise to among them.
size_t event_loop::visit_all() {
  size_t visited = 0;
  for (; visited < to_visit.size() && visited < visits_in_a_row; ++visited)
    to_visit[visited]->visit();
  to_visit.erase(to_visit.begin(), to_visit.begin() + static_cast<std::ptrdiff_t>(visited));
  wake_all();
  return visited;
}

void event_loop::wake_all() {
  for (auto* loop : to_visit) loop->tell();
  to_visit.clear();
}

// ---- turns ----

/// Waits without the turn, so that guests can have it.
size_t event_loop::sleep() {
  if (asio_due_) {
    asio_due_ = false;
    if (io_.poll() > 0) return 0;
  }
  turn_.give_back();
  size_t ready = 0;
  if (!look_around(ready) && !remote_pending_) ready = poller_.wait(-1);
  turn_.take();
  return ready;
}

/// Looks for work for a while, where that has been worth it. True: there is some.
bool event_loop::look_around(size_t& ready) {
  if (!idle_poll_.worth_it()) return false;
  looking_ = true;
  bool found = vagus::look_around(idle_poll_, [&] {
    ready = poller_.wait(0);
    return ready > 0 || remote_pending_;
  });
  looking_ = false;
  return found;
}

/// Waits until there is something to do, and does what there is. All sockets that are ready are
/// read before actors run, so that what they have for one destination leaves in one write.
void event_loop::turn() {
  bool idle = local_.empty() && !remote_pending_.load(std::memory_order_relaxed);
  if (!idle || !to_visit.empty()) {
    if (poller_.wait(0) > 0) idle = false;
    if (idle) {
      defers = true;
      visit_all();
      return;
    }
    wake_all();
  } else {
    idle = sleep() <= ready_for_visits;
  }
  defers = idle;
  poller_.dispatch();
  take_remote();
  run_local(actors_per_turn);
}

void event_loop::run() {
  urcu_memb_register_thread();
  turn_.take();
  {
    on_turn own{this, turn_};
    while (!stopping_ || !local_.empty() || remote_pending_) {
      try {
        turn();
      } catch (const std::exception& e) {
        on_failure_(e.what());
      }
    }
    wake_all();
    io_.poll();
  }
  urcu_memb_unregister_thread();
}

size_t event_loop::run_ready() {
  size_t total = 0;
  turn_.take();
  {
    on_turn own{this, turn_};
    defers = true;
    io_.restart();
    for (size_t ran = 1; ran > 0; total += ran) {
      take_remote();
      ran = run_local(actors_per_turn);
      ran += io_.poll();
      ran += visit_all();
    }
    defers = false;
  }
  return total;
}

event_loops::event_loops(caf::actor_system& system, size_t count,
                         std::chrono::nanoseconds idle_poll) {
  for (size_t i = 0; i < count; ++i)
    loops_.push_back(std::make_unique<event_loop>(system, i, idle_poll));
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

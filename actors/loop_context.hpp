#pragma once

#include "actors/interest/interest.hpp"
#include "actors/interfaces.hpp"
#include "actors/router.hpp"
#include "net/event_loop.hpp"
#include "net/timers.hpp"

#include <caf/actor_clock.hpp>

#include <atomic>
#include <memory>

namespace vagus {

/// One account: its name, its interest, and the actor that alone changes it.
struct account {
  std::string name;
  interest subjects;
  subject_space_actor space;
};

/// Counters of the whole process that have several writers.
struct process_counters {
  std::atomic<int64_t> pending{0};  ///< bytes waiting in all outgoing queues
  std::atomic<int64_t> connections{0};
  std::atomic<bool> accepting{true};  ///< false from lame duck or shutdown on
  std::atomic<uint64_t> slow_consumers{0};
  std::atomic<uint64_t> stale_connections{0};
  std::atomic<uint64_t> stalled_clients{0};
  // Traffic of connections that have ended
  std::atomic<uint64_t> in_msgs{0}, in_bytes{0}, out_msgs{0}, out_bytes{0};
};

/// What the actors of one event loop share. Used by that loop's thread only, but for `counters`.
struct loop_context {
  loop_context(event_loop& l, size_t count, account& of, process_counters& c, settings_ptr s)
      : loop{l},
        loops{count},
        global{of},
        routes{of.subjects, l.index()},
        counters{c},
        current{std::move(s)},
        tracing{current->opts.trace} {}

  event_loop& loop;
  size_t loops;     ///< how many there are in the process
  account& global;  ///< `$G`
  router routes;
  process_counters& counters;
  settings_ptr current;  ///< replaced on reload
  bool tracing = false;  ///< the protocol is logged (option trace)
  timers deadlines;
  buffer_ptr read_buffer;
  timed::time_point loop_time;  ///< of the last tick: good to 100 ms
  int64_t wall_time_ns = 0;     ///< the same, since the epoch: for people, not for deadlines
  /// What the actor clock lacks to the time since the epoch; brought up to date with every tick.
  int64_t wall_offset_ns = 0;
  /// Tests: the offset never changes, so that the wall clock is as virtual as the actor clock.
  bool wall_clock_follows = true;

  /// Nanoseconds since the epoch, from the actor clock: for the timestamps of messages.
  int64_t wall_now(caf::actor_clock::time_point now) const {
    return std::chrono::nanoseconds{now.time_since_epoch()}.count() + wall_offset_ns;
  }
  server_actor server;
  authenticator_actor authenticator;
};

}  // namespace vagus

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <sys/epoll.h>
#include <vector>

namespace vagus {

/// Who is told that a descriptor is ready. Must outlive its place in the poller, or be shared from
/// where it is told.
class watcher {
public:
  /// @param events of epoll: EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR
  virtual void on_ready(uint32_t events) = 0;

protected:
  ~watcher() = default;
};

/// The descriptors of one event loop, in one epoll. Level-triggered: as long as somebody wants what
/// is ready, watching it costs no system call.
///
/// One thread waits; all other members but wake() belong to whoever has the loop's turn, which may
/// be another thread while that one waits. A place that was given up in the meantime is told
/// nothing: an event names its place together with a generation.
class poller {
public:
  poller();
  ~poller();
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;

  /// A place for a descriptor, of which nothing is watched yet.
  uint64_t add(watcher& who);
  void remove(uint64_t place);

  /// Watches for `wanted` where `watched` was watched for; 0: nothing, not even errors. False if
  /// the system has no room for it.
  bool watch(uint64_t place, int descriptor, uint32_t watched, uint32_t wanted);

  /// Waits until something is ready, wake() was called, or `timeout` milliseconds have passed (-1:
  /// without end); returns how much is ready.
  size_t wait(int timeout);

  /// Tells the watchers of what the last wait has found.
  void dispatch();

  /// Ends the wait at hand, or the next one. From any thread; cheap if it was called before and the
  /// waiting thread has not come by since.
  void wake();

private:
  struct entry {
    watcher* who = nullptr;
    uint32_t generation = 0;
    uint32_t next_free = 0;
  };

  static constexpr uint64_t wake_mark = UINT64_MAX;
  static constexpr uint32_t none = UINT32_MAX;

  int epoll_;
  int wake_;
  std::atomic<bool> woken_{false};
  std::vector<entry> entries_;
  uint32_t first_free_ = none;
  std::array<epoll_event, 128> ready_;
  size_t ready_count_ = 0;
};

}  // namespace vagus

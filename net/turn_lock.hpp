#pragma once

#include <atomic>
#include <cstdint>

namespace vagus {

/// Who has the turn of an event loop. Like a mutex, but sequentially consistent, so that "mail is
/// there, then: is the turn free?" of one thread and "the turn is free, then: is mail there?" of
/// another cannot both be answered with no.
class turn_lock {
public:
  bool try_take() {
    uint32_t free = 0;
    return taken_.compare_exchange_strong(free, 1);
  }
  void take() {
    while (!try_take()) taken_.wait(1);
  }
  void give_back() {
    taken_.store(0);
    taken_.notify_one();
  }
  bool taken() const { return taken_.load() != 0; }

private:
  std::atomic<uint32_t> taken_{0};
};

}  // namespace vagus

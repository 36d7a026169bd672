#include "net/poller.hpp"

#include <cerrno>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace vagus {

namespace {

int checked(int descriptor, const char* what) {
  if (descriptor < 0) throw std::system_error{errno, std::generic_category(), what};
  return descriptor;
}

}  // namespace

poller::poller()
    : epoll_{checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")},
      wake_{checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")} {
  // Edge-triggered: every write is an event, and nobody has to read.
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = wake_mark;
  checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event), "epoll_ctl");
}

poller::~poller() {
  close(wake_);
  close(epoll_);
}

uint64_t poller::add(watcher& who) {
  uint32_t index = first_free_;
  if (index == none) {
    index = static_cast<uint32_t>(entries_.size());
    entries_.emplace_back();
  } else {
    first_free_ = entries_[index].next_free;
  }
  entries_[index].who = &who;
  return uint64_t{entries_[index].generation} << 32 | index;
}

void poller::remove(uint64_t place) {
  auto index = static_cast<uint32_t>(place);
  auto& e = entries_[index];
  e.who = nullptr;
  ++e.generation;
  e.next_free = first_free_;
  first_free_ = index;
}

bool poller::watch(uint64_t place, int descriptor, uint32_t watched, uint32_t wanted) {
  if (watched == wanted) return true;
  epoll_event event{};
  event.events = wanted;
  event.data.u64 = place;
  int operation = watched == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  return epoll_ctl(epoll_, operation, descriptor, &event) == 0;
}

size_t poller::wait(int timeout) {
  int n = epoll_wait(epoll_, ready_.data(), static_cast<int>(ready_.size()), timeout);
  ready_count_ = n < 0 ? 0 : static_cast<size_t>(n);  // EINTR: nothing is ready
  // Who did not write because it was true has left its mail before, and that is looked for next.
  if (ready_count_ > 0 && woken_.load(std::memory_order_relaxed)) woken_ = false;
  return ready_count_;
}

void poller::dispatch() {
  auto count = ready_count_;
  ready_count_ = 0;
  for (size_t i = 0; i < count; ++i) {
    auto place = ready_[i].data.u64;
    if (place == wake_mark) continue;
    const auto& e = entries_[static_cast<uint32_t>(place)];
    if (e.who != nullptr && e.generation == place >> 32) e.who->on_ready(ready_[i].events);
  }
}

void poller::wake() {
  if (woken_.exchange(true)) return;
  uint64_t one = 1;
  [[maybe_unused]] auto written = write(wake_, &one, sizeof one);
}

}  // namespace vagus

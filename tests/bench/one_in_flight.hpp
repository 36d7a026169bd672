#pragma once

#include "connection.hpp"
#include "meter.hpp"

#include <array>
#include <memory>
#include <sys/epoll.h>
#include <unistd.h>
#include <vector>

namespace vagus::bench {

/// Requests by `clients`, one in flight each, for `seconds` and until the last is answered, on the
/// calling thread. A client has `ask()`, which sends a request, `answered()`, which reads once and
/// says whether the answer is complete, and `fd()`.
template <class Client>
sample one_in_flight(const server_process& server, double seconds,
                     const std::vector<std::unique_ptr<Client>>& clients) {
  const bool alone = clients.size() == 1;
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const auto closing = std::unique_ptr<const int, void (*)(const int*)>(
      &epoll, [](const int* descriptor) { close(*descriptor); });
  for (size_t i = 0; i < clients.size(); ++i) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i]->fd(), &event);
  }
  uint64_t answers = 0;
  meter metered(server);
  for (auto& c : clients) c->ask();
  for (size_t in_flight = clients.size(); in_flight > 0;) {
    std::array<epoll_event, 64> events;
    // One client reads at once, as its library would: the wait is inside `answered`.
    const int n = alone ? 1
                        : epoll_wait(epoll, events.data(), static_cast<int>(events.size()),
                                     connection::io_timeout_seconds * 1000);
    if (n == 0) throw failure("no answers arrive");
    const bool over = !metered.before(seconds);
    for (int i = 0; i < n; ++i) {
      Client& c = *clients[alone ? 0 : events[static_cast<size_t>(i)].data.u64];
      if (!c.answered()) continue;
      ++answers;
      over ? void(--in_flight) : c.ask();
    }
  }
  return metered.per(answers);
}

}  // namespace vagus::bench

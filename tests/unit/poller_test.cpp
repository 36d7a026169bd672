#include "net/poller.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <unistd.h>

using namespace vagus;

namespace {

struct pipe_ends {
  pipe_ends() { REQUIRE(::pipe(ends) == 0); }
  ~pipe_ends() {
    close_writing();
    ::close(ends[0]);
  }
  void fill() const { REQUIRE(::write(ends[1], "x", 1) == 1); }
  void close_writing() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
  int ends[2];
};

struct counting final : watcher {
  void on_ready(uint32_t events) override {
    ++told;
    last = events;
    if (then) then();
  }
  int told = 0;
  uint32_t last = 0;
  std::function<void()> then;
};

}  // namespace

TEST_CASE("poller: what is ready is told as long as it is") {
  poller p;
  pipe_ends pipe;
  counting who;
  auto place = p.add(who);
  REQUIRE(p.watch(place, pipe.ends[0], 0, EPOLLIN));
  CHECK(p.wait(0) == 0);
  pipe.fill();
  for (int i = 0; i < 2; ++i) {
    p.wait(-1);
    p.dispatch();
  }
  CHECK(who.told == 2);
  CHECK(who.last == EPOLLIN);
}

TEST_CASE("poller: where nothing is wanted, not even the end is told") {
  poller p;
  pipe_ends pipe;
  counting who;
  auto place = p.add(who);
  REQUIRE(p.watch(place, pipe.ends[0], 0, EPOLLIN));
  REQUIRE(p.watch(place, pipe.ends[0], EPOLLIN, 0));
  pipe.close_writing();
  CHECK(p.wait(0) == 0);
  REQUIRE(p.watch(place, pipe.ends[0], 0, EPOLLIN));
  CHECK(p.wait(0) == 1);
  p.dispatch();
  CHECK((who.last & EPOLLHUP) != 0);
}

TEST_CASE("poller: a place given up between the wait and the telling is told nothing") {
  poller p;
  pipe_ends one, other;
  counting first, second, later;
  auto a = p.add(first), b = p.add(second);
  REQUIRE(p.watch(a, one.ends[0], 0, EPOLLIN));
  REQUIRE(p.watch(b, other.ends[0], 0, EPOLLIN));
  one.fill();
  other.fill();
  // Whoever is told first takes the other's place away, and a third one gets it.
  first.then = [&] {
    p.remove(b);
    p.add(later);
  };
  second.then = [&] {
    p.remove(a);
    p.add(later);
  };
  REQUIRE(p.wait(-1) == 2);
  p.dispatch();
  CHECK(first.told + second.told == 1);
  CHECK(later.told == 0);
}

TEST_CASE("poller: a wake-up before the wait ends it, once") {
  poller p;
  p.wake();
  p.wake();
  CHECK(p.wait(-1) == 1);
  p.dispatch();
  CHECK(p.wait(0) == 0);
  p.wake();
  CHECK(p.wait(-1) == 1);
}

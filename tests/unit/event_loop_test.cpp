#include "net/event_loop.hpp"

#include "world.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <future>

using namespace vagus;

namespace {

/// Something to run on a loop: as often as it is sent there.
class note final : public caf::resumable, public caf::ref_counted {
public:
  explicit note(std::function<void(event_loop&)> what) : what_{std::move(what)} {}

  void send(event_loop& to) {
    ref();
    to.exec_later(this);
  }
  void send_for_guests(event_loop& to) {
    ref();
    to.open_to_guests().exec_later(this);
  }

  subtype_t subtype() const override { return resumable::function_object; }
  resume_result resume(caf::execution_unit* unit, size_t) override {
    what_(dynamic_cast<event_loop&>(*unit));
    return resumable::done;
  }
  void intrusive_ptr_add_ref_impl() override { ref(); }
  void intrusive_ptr_release_impl() override { deref(); }

private:
  std::function<void(event_loop&)> what_;
};

using note_ptr = caf::intrusive_ptr<note>;

note_ptr make_note(std::function<void(event_loop&)> what) {
  return note_ptr{new note{std::move(what)}, false};
}

struct two_loops {
  explicit two_loops(std::chrono::nanoseconds idle_poll = {})
      : a{system, 0, idle_poll}, b{system, 1, idle_poll} {}

  rcu_thread rcu;
  test_config config;
  caf::actor_system system{config};
  event_loop a, b;
};

}  // namespace

TEST_CASE("event loop: one that has mail for a sleeping loop runs it as a guest") {
  two_loops l;
  event_loop *ran_as = nullptr, *unit = nullptr;
  auto mail = make_note([&](event_loop& on) {
    ran_as = event_loop::current();
    unit = &on;
  });
  auto sender = make_note([&](event_loop&) {
    mail->send_for_guests(l.b);
    CHECK(ran_as == nullptr);  // not in the middle of this turn
  });
  sender->send(l.a);
  l.a.run_ready();
  CHECK(ran_as == &l.b);
  CHECK(unit == &l.b);
  CHECK(event_loop::current() == nullptr);
  CHECK(l.b.run_ready() == 0);
}

TEST_CASE("event loop: what may use the io_context is left to the loop's own thread") {
  two_loops l;
  int ran = 0;
  auto mail = make_note([&](event_loop&) { ++ran; });
  auto sender = make_note([&](event_loop&) {
    mail->send_for_guests(l.b);
    mail->send(l.b);
    mail->send_for_guests(l.b);
  });
  sender->send(l.a);
  l.a.run_ready();
  CHECK(ran == 1);
  l.b.run_ready();
  CHECK(ran == 3);
}

TEST_CASE("event loop: a guest that has mail for its host leaves it to the host's turn") {
  two_loops l;
  std::vector<event_loop*> order;
  auto answer = make_note([&](event_loop& on) { order.push_back(&on); });
  auto mail = make_note([&](event_loop& on) {
    order.push_back(&on);
    answer->send_for_guests(l.a);
    CHECK(order.size() == 1);
  });
  make_note([&](event_loop&) { mail->send_for_guests(l.b); })->send(l.a);
  l.a.run_ready();
  CHECK(order == std::vector<event_loop*>{&l.b, &l.a});
}

TEST_CASE("event loop: a guest turn that gives rise to others does not nest them") {
  two_loops l;
  event_loop c{l.system, 2};
  int depth = 0, deepest = 0, ran = 0;
  std::vector<note_ptr> notes;
  std::vector<event_loop*> hops{&l.b, &c, &l.b, &c, &l.b};
  for (size_t i = hops.size(); i-- > 0;) {
    auto next = notes.empty() ? note_ptr{} : notes.back();
    auto* to = i + 1 < hops.size() ? hops[i + 1] : nullptr;
    notes.push_back(make_note([&, next, to](event_loop&) {
      deepest = std::max(deepest, ++depth);
      ++ran;
      if (next) next->send_for_guests(*to);
      --depth;
    }));
  }
  make_note([&](event_loop&) { notes.back()->send_for_guests(l.b); })->send(l.a);
  l.a.run_ready();
  CHECK(ran == 5);
  CHECK(deepest == 1);
}

TEST_CASE("event loop: no mail is lost between threads that visit each other") {
  // The second: threads that look for work before they sleep.
  two_loops l{GENERATE(std::chrono::microseconds{0}, std::chrono::microseconds{100})};
  constexpr int rounds = 20000;
  int passed = 0;  // by whoever has the turn of the loop that it is on: never by two
  std::atomic<int> arrived{0};
  std::promise<void> all;
  auto stray = make_note([&](event_loop&) {
    if (++arrived == rounds + 1) all.set_value();
  });
  note* again = nullptr;
  auto ball = make_note([&](event_loop& on) {
    stray->send_for_guests(&on == &l.a ? l.b : l.a);
    if (++passed == rounds) {
      stray->send(l.a);
      return;
    }
    auto& to = &on == &l.a ? l.b : l.a;
    if (passed % 7 == 0)
      again->send(to);
    else
      again->send_for_guests(to);
  });
  again = ball.get();
  auto fail = [](const std::string&) { std::abort(); };
  l.a.start(fail);
  l.b.start(fail);
  ball->send(l.a);
  all.get_future().wait();
  l.a.stop();
  l.b.stop();
  CHECK(passed == rounds);
  CHECK(arrived == rounds + 1);
}

TEST_CASE("idle poll: looking goes on as long as one time in three brings something") {
  idle_poll poll{std::chrono::microseconds{100}};
  auto tried = [&](int times, int one_in) {
    int count = 0;
    for (int i = 0; i < times; ++i)
      if (poll.worth_it()) poll.note(++count % one_in == 0);
    return count;
  };
  CHECK(tried(160, 1000) == 10);  // now and then, in vain
  CHECK(tried(160, 1) >= 140);    // all the time, once it has brought something
  CHECK(tried(300, 3) == 300);
  CHECK(tried(300, 10) < 100);
}

TEST_CASE("idle poll: where others want the core it rests, longer each time") {
  idle_poll poll{std::chrono::microseconds{100}};
  auto until_tried = [&] {
    int asked = 1;
    while (!poll.worth_it()) ++asked;
    return asked;
  };
  for (int i = 0; i < 16; ++i) poll.note(true);
  CHECK(until_tried() == 1);
  poll.note_crowded();
  auto first = until_tried();
  CHECK(first > 1000);
  poll.note_crowded();
  CHECK(until_tried() >= 2 * 1000);
  for (int i = 0; i < 4096; ++i) poll.note(true);
  poll.note_crowded();
  CHECK(until_tried() == first);
}

TEST_CASE("idle poll: none is none") {
  idle_poll poll;
  for (int i = 0; i < 100; ++i) CHECK_FALSE(poll.worth_it());
}

TEST_CASE("event loop: stopping runs what is queued") {
  two_loops l;
  std::atomic<int> ran{0};
  auto mail = make_note([&](event_loop&) { ++ran; });
  l.a.start([](const std::string&) {});
  for (int i = 0; i < 1000; ++i) mail->send(l.a);
  l.a.stop();
  CHECK(ran == 1000);
}

#include "actors/jetstream/flow_window.hpp"

#include <catch2/catch.hpp>

using namespace vagus;

namespace {

/// Sends until the window is full, answering nothing. How many bytes that were.
size_t fill(flow_window& w, size_t step = 1024) {
  size_t sent = 0;
  for (; !w.full(); sent += step) {
    w.note_sent(step);
    if (w.wants_answer()) w.ask("answer");
  }
  return sent;
}

}  // namespace

TEST_CASE("flow window: it asks once, behind half of it, and is full at its size") {
  flow_window w;
  w.note_sent(flow_window::first / 2);
  CHECK_FALSE(w.wants_answer());
  w.note_sent(1);
  CHECK(w.wants_answer());
  w.ask("one");
  CHECK(w.asked() == "one");
  CHECK_FALSE(w.wants_answer());
  w.note_sent(flow_window::first / 2 - 2);
  CHECK_FALSE(w.full());
  w.note_sent(1);
  CHECK(w.full());
}

TEST_CASE("flow window: an answer frees what was sent before the question, and doubles it") {
  flow_window w;
  w.note_sent(flow_window::first - 10);
  w.ask("one");
  w.note_sent(10);
  CHECK(w.full());
  w.note_answer();
  CHECK(w.asked().empty());
  CHECK_FALSE(w.full());
  CHECK(fill(w, 1) == 2 * flow_window::first - 10);
}

TEST_CASE("flow window: it grows to its largest and no further") {
  flow_window w;
  for (int i = 0; i < 10; ++i) {
    fill(w);
    w.note_answer();
  }
  fill(w);
  w.note_answer();
  flow_window all = w;
  auto left = fill(all);
  CHECK(left <= flow_window::largest);
  CHECK(left >= flow_window::largest / 2);
}

TEST_CASE("flow window: an answer that nothing asked for changes nothing") {
  flow_window w;
  w.note_sent(flow_window::first);
  w.note_answer();
  CHECK(w.full());
}

TEST_CASE("flow window: a reset one is as new") {
  flow_window w;
  fill(w);
  w.note_answer();
  fill(w);
  w.reset();
  CHECK(w.asked().empty());
  CHECK(fill(w, 1) == flow_window::first);
}

#include "net/outbox.hpp"

#include "fake_transport.hpp"

#include <catch2/catch.hpp>

#include <cstring>
#include <random>
#include <string>

using namespace vagus;

namespace {

constexpr auto done = io_result::kind::done;
constexpr auto would_block = io_result::kind::would_block;

/// An outbox and the socket that it writes to.
struct desk {
  outbox out;
  fake_transport socket{nullptr};

  io_result flush(size_t limit = SIZE_MAX) { return out.flush(socket, limit); }
  /// Lets the socket take that much and no more.
  io_result flush_into(size_t room) {
    socket.take(room);
    return flush();
  }
};

frame_batch batch_of(std::string_view subject, std::string_view body, size_t count = 1,
                     buffer* source = nullptr) {
  frame_batch batch{0};
  for (size_t i = 0; i < count; ++i)
    batch.append({subject, "", body, -1, source}, {"1", 0, 1, 0, true});
  return batch;
}

void append(outbox& to, const frame_batch& batch) {
  to.append(batch, 0, batch.size());
}

buffer_ptr large_payload(char fill) {
  auto b = buffer::make(frame_batch::splice_from);
  std::memset(b->data(), fill, b->capacity());
  return b;
}

std::string_view text_of(const buffer_ptr& b) {
  return {b->data(), b->capacity()};
}

}  // namespace

TEST_CASE("outbox: lines and frames are written in the order in which they came") {
  desk d;
  d.out.append("PONG\r\n");
  append(d.out, batch_of("foo", "a"));
  d.out.append("+OK\r\n");
  d.out.append("PING\r\n");
  CHECK(d.out.pending() == 6 + 16 + 5 + 6);
  auto result = d.flush();
  CHECK(result.state == done);
  CHECK(result.bytes == 33);
  CHECK(d.socket.written == "PONG\r\nMSG foo 1 1\r\na\r\n+OK\r\nPING\r\n");
  CHECK(d.out.empty());
}

TEST_CASE("outbox: lines in a row are one part of a write") {
  desk d;
  for (int i = 0; i < 200; ++i) d.out.append("+OK\r\n");
  d.flush();
  CHECK(d.socket.writes == 1);
  CHECK(d.socket.written.size() == 1000);
}

TEST_CASE("outbox: a line may be longer than its usual buffer") {
  desk d;
  std::string line(10'000, 'x');
  d.out.append("a");
  d.out.append(line);
  d.out.append("b");
  d.flush();
  CHECK(d.socket.written == "a" + line + "b");
}

TEST_CASE("outbox: positions in the middle of a batch take just those frames") {
  desk d;
  auto batch = batch_of("foo", "a", 3);
  auto size = batch.size() / 3;
  d.out.append(batch, size, 2 * size);
  d.flush();
  CHECK(d.socket.written == "MSG foo 1 1\r\na\r\n");
}

TEST_CASE("outbox: what the socket does not take stays, byte by byte") {
  desk d;
  d.out.append("PONG\r\n");
  auto large = large_payload('x');
  append(d.out, batch_of("foo", text_of(large), 2, large.get()));
  auto total = d.out.pending();
  auto expected = "PONG\r\nMSG foo 1 8192\r\n" + std::string{text_of(large)} +
                  "\r\nMSG foo 1 8192\r\n" + std::string{text_of(large)} + "\r\n";
  size_t written = 0;
  for (size_t room = 1; !d.out.empty(); room = room % 1000 + 7) {
    auto result = d.flush_into(room);
    written += result.bytes;
    CHECK(result.state == (d.out.empty() ? done : would_block));
    REQUIRE(d.out.pending() == total - written);
  }
  CHECK(d.socket.written == expected);
}

TEST_CASE("outbox: a write says would_block, and how much went before") {
  desk d;
  d.out.append("PONG\r\n");
  CHECK(d.flush_into(4).bytes == 4);
  auto result = d.flush_into(0);
  CHECK(result.state == would_block);
  CHECK(result.bytes == 0);
  CHECK(d.out.pending() == 2);
}

TEST_CASE("outbox: a failed write is told") {
  desk d;
  d.out.append("PONG\r\n");
  d.socket.reset();
  CHECK(d.flush().state == io_result::kind::failed);
  CHECK(d.out.pending() == 6);
}

TEST_CASE("outbox: one flush writes no more than its limit") {
  desk d;
  append(d.out, batch_of("foo", std::string(5000, 'x')));
  auto result = d.flush(1000);
  CHECK(result.state == done);
  CHECK(result.bytes == 1000);
  for (int i = 0; i < 100; ++i) append(d.out, batch_of("foo", std::string(30, 'y')));
  CHECK(d.flush(4500).bytes == 4500);
}

TEST_CASE("outbox: more parts than one write has go out in several") {
  desk d;
  for (int i = 0; i < 500; ++i) append(d.out, batch_of("foo", "a"));
  CHECK(d.flush().state == done);
  CHECK(d.socket.written.size() == 500 * 16);
}

TEST_CASE("outbox: drop_unstarted drops everything that is not on the wire") {
  desk d;
  d.out.append("PONG\r\n");
  append(d.out, batch_of("foo", "a"));
  CHECK(d.out.drop_unstarted() == 22);
  CHECK(d.out.empty());
  d.out.append("-ERR\r\n");
  d.flush();
  CHECK(d.socket.written == "-ERR\r\n");
}

TEST_CASE("outbox: drop_unstarted keeps the frame that is half written") {
  desk d;
  append(d.out, batch_of("foo", "a"));
  append(d.out, batch_of("bar", "b"));
  d.flush_into(3);
  CHECK(d.out.drop_unstarted() == 16);
  d.out.append("-ERR\r\n");
  CHECK(d.out.pending() == 13 + 6);
  d.flush_into(SIZE_MAX);
  CHECK(d.socket.written == "MSG foo 1 1\r\na\r\n-ERR\r\n");
}

TEST_CASE("outbox: drop_unstarted keeps a half written frame with its splice") {
  auto large = large_payload('x');
  // Stops: inside the line, exactly before the splice, inside of it, exactly behind it.
  for (size_t stop : {5u, 16u, 100u, 16u + 8192u}) {
    desk d;
    append(d.out, batch_of("foo", text_of(large), 1, large.get()));
    auto size = d.out.pending();
    append(d.out, batch_of("bar", "b"));
    d.flush_into(stop);
    CHECK(d.out.drop_unstarted() == 16);
    CHECK(d.out.pending() == size - stop);
    d.out.append("-ERR\r\n");
    d.flush_into(SIZE_MAX);
    CHECK(d.socket.written == "MSG foo 1 8192\r\n" + std::string{text_of(large)} + "\r\n-ERR\r\n");
  }
}

TEST_CASE("outbox: frames that go are not kept in memory, nor what was cleared") {
  auto large = large_payload('x');
  desk d;
  append(d.out, batch_of("foo", text_of(large), 1, large.get()));
  CHECK_FALSE(large->unique());
  d.flush();
  CHECK(large->unique());
  append(d.out, batch_of("foo", text_of(large), 1, large.get()));
  d.out.clear();
  CHECK(large->unique());
  CHECK(d.out.empty());
}

TEST_CASE("outbox: random appends and partial writes give the same bytes") {
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::minstd_rand random{seed};
  auto large = large_payload('z');
  for (int round = 0; round < 100; ++round) {
    desk d;
    std::string expected;
    for (int i = 0; i < 60; ++i) {
      if (random() % 2) {
        std::string line(1 + random() % 900, static_cast<char>('a' + random() % 26));
        expected += line;
        d.out.append(line);
      } else {
        bool splice = random() % 4 == 0;
        std::string body = splice ? std::string{text_of(large)} : std::string(random() % 50, 'b');
        append(d.out, batch_of("s", splice ? text_of(large) : std::string_view{body}, 1,
                               splice ? large.get() : nullptr));
        expected += "MSG s 1 " + std::to_string(body.size()) + "\r\n" + body + "\r\n";
      }
      if (random() % 3 == 0) d.flush_into(random() % 10'000);
      REQUIRE(d.out.pending() + d.socket.written.size() == expected.size());
    }
    d.flush_into(SIZE_MAX);
    REQUIRE(d.socket.written == expected);
  }
}

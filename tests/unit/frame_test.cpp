#include "net/protocol/frame_batch.hpp"
#include "net/protocol/frame_reader.hpp"

#include <catch2/catch.hpp>

#include <cstring>
#include <random>
#include <string>
#include <vector>

using namespace vagus;

namespace {

const frame_batch::target plain_target{"1", 0, 1, 0, true};

/// What a destination would write, splices included.
std::string wire(const frame_batch& batch) {
  std::string out;
  size_t at = 0;
  for (const auto& s : batch.splices()) {
    out.append(batch.frames()->data() + at, s.at - at).append(s.data, s.size);
    at = s.at;
  }
  return out.append(batch.frames()->data() + at, batch.size() - at);
}

std::string one_frame(const message_view& message, const frame_batch::target& to) {
  frame_batch batch{0};
  batch.append(message, to);
  CHECK(batch.total() == wire(batch).size());
  return wire(batch);
}

buffer_ptr buffer_of(const std::string& text) {
  auto b = buffer::make(text.size());
  std::memcpy(b->data(), text.data(), text.size());
  return b;
}

/// A message whose texts live as long as it does.
struct sample {
  std::string subject, reply, body;
  int64_t header_size = -1;
  uint32_t slot = 0;
  bool takes_headers = true;

  message_view view() const { return {subject, reply, body, header_size, nullptr}; }
};

sample random_sample(std::minstd_rand& random) {
  sample s;
  s.subject = std::string(1 + random() % 30, 's');
  s.reply = std::string(random() % 2 ? 0 : 1 + random() % 30, 'r');
  s.body = std::string(random() % 300, 'b');
  for (char& c : s.body) c = static_cast<char>(random() % 256);
  if (random() % 2 && !s.body.empty())
    s.header_size = static_cast<int64_t>(1 + random() % s.body.size());
  s.slot = random() % 3;
  s.takes_headers = random() % 2;
  return s;
}

}  // namespace

TEST_CASE("frame_batch: MSG and HMSG as clients read them") {
  message_view message{"foo", "", "hello", -1, nullptr};
  CHECK(one_frame(message, plain_target) == "MSG foo 1 5\r\nhello\r\n");
  message.reply = "inbox";
  CHECK(one_frame(message, {"sid", 0, 1, 0, true}) == "MSG foo sid inbox 5\r\nhello\r\n");
  message_view headers{"foo", "r", "NATS/1.0\r\n\r\nabc", 12, nullptr};
  CHECK(one_frame(headers, plain_target) == "HMSG foo 1 r 12 15\r\nNATS/1.0\r\n\r\nabc\r\n");
}

TEST_CASE("frame_batch: an empty payload is a frame as well") {
  CHECK(one_frame({"foo", "", "", -1, nullptr}, plain_target) == "MSG foo 1 0\r\n\r\n");
}

TEST_CASE("frame_batch: who takes no headers gets none") {
  message_view message{"foo", "r", "NATS/1.0\r\n\r\nabc", 12, nullptr};
  CHECK(one_frame(message, {"1", 0, 1, 0, false}) == "MSG foo 1 r 3\r\nabc\r\n");
  message_view only_headers{"foo", "", "NATS/1.0\r\n\r\n", 12, nullptr};
  CHECK(one_frame(only_headers, {"1", 0, 1, 0, false}) == "MSG foo 1 0\r\n\r\n");
}

TEST_CASE("frame_batch: an HPUB without header bytes is a plain message") {
  CHECK(one_frame({"foo", "", "abc", 0, nullptr}, plain_target) == "MSG foo 1 3\r\nabc\r\n");
}

TEST_CASE("frame_batch: frames in a row for one subscription are one run") {
  frame_batch batch{0};
  message_view message{"foo", "", "ab", -1, nullptr};
  for (int i = 0; i < 3; ++i) batch.append(message, {"1", 4, 1, 0, true});
  batch.append(message, {"2", 5, 1, 0, true});
  batch.append(message, {"1", 4, 1, 0, true});
  batch.append(message, {"1", 4, 3, 0, true});
  batch.append(message, {"1", 4, 3, 9, true});
  REQUIRE(batch.runs().size() == 5);
  CHECK(batch.runs()[0].count == 3);
  CHECK(batch.runs()[0].bytes == 6);
  CHECK(batch.runs()[1].slot == 5);
  CHECK(batch.runs()[3].generation == 3);
  CHECK(batch.runs()[4].queue == 9);
  for (size_t i = 1; i < 5; ++i) CHECK(batch.runs()[i].begin == batch.runs()[i - 1].end);
}

TEST_CASE("frame_batch: payloads from a size on are referred to, not copied") {
  auto large = buffer_of(std::string(frame_batch::splice_from, 'x'));
  frame_batch batch{0};
  std::string_view body{large->data(), large->capacity()};
  batch.append({"foo", "", body, -1, large.get()}, plain_target);
  batch.append({"foo", "", body.substr(1), -1, large.get()}, plain_target);
  REQUIRE(batch.splices().size() == 1);
  CHECK(batch.splices()[0].data == large->data());
  CHECK_FALSE(large->unique());
  CHECK(wire(batch).size() == batch.total());
  CHECK(wire(batch).substr(0, 16) == "MSG foo 1 8192\r\n");
}

TEST_CASE("frame_batch: a large payload whose buffer is not known is copied") {
  std::string body(frame_batch::splice_from, 'x');
  frame_batch batch{0};
  batch.append({"foo", "", body, -1, nullptr}, plain_target);
  CHECK(batch.splices().empty());
  CHECK(batch.size() == batch.total());
}

TEST_CASE("frame_batch: stripping headers may make a splice of the payload alone") {
  auto source = buffer_of("NATS/1.0\r\n\r\n" + std::string(frame_batch::splice_from, 'x'));
  frame_batch batch{0};
  std::string_view body{source->data(), source->capacity()};
  batch.append({"foo", "", body, 12, source.get()}, {"1", 0, 1, 0, false});
  REQUIRE(batch.splices().size() == 1);
  CHECK(batch.splices()[0].data == source->data() + 12);
}

TEST_CASE("frame_reader: reads back what was appended") {
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::minstd_rand random{seed};
  for (int round = 0; round < 200; ++round) {
    std::vector<sample> samples;
    frame_batch batch{0};
    for (auto n = 1 + random() % 20; n > 0; --n) {
      samples.push_back(random_sample(random));
      const auto& s = samples.back();
      batch.append(s.view(), {"sid", s.slot, 1, 0, s.takes_headers});
    }
    size_t at = 0;
    for (const auto& run : batch.runs()) {
      frame_reader frames{batch, run};
      uint32_t count = 0;
      for (; frames.next(); ++count) {
        const auto& wanted = samples[at++];
        const auto& got = frames.message();
        bool headers = wanted.takes_headers && wanted.header_size > 0;
        REQUIRE(got.subject == wanted.subject);
        REQUIRE(got.reply == wanted.reply);
        REQUIRE(got.header_size == (headers ? wanted.header_size : -1));
        REQUIRE(got.body == (headers ? got.body : wanted.view().payload()));
        if (headers) REQUIRE(got.body == wanted.body);
      }
      REQUIRE(count == run.count);
      REQUIRE(frames.end() == run.end);
    }
    REQUIRE(at == samples.size());
  }
}

TEST_CASE("frame_reader: reads splices with the buffer that they are in") {
  auto large = buffer_of(std::string(frame_batch::splice_from + 5, 'x'));
  frame_batch batch{0};
  std::string_view body{large->data(), large->capacity()};
  message_view small{"foo", "", "a", -1, nullptr};
  batch.append({"foo", "r", body, 5, large.get()}, plain_target);
  batch.append(small, plain_target);
  batch.append({"foo", "", body, -1, large.get()}, plain_target);
  REQUIRE(batch.runs().size() == 1);
  frame_reader frames{batch, batch.runs()[0]};
  REQUIRE(frames.next());
  CHECK(frames.message().source == large.get());
  CHECK(frames.message().body.data() == large->data());
  CHECK(frames.message().header_size == 5);
  REQUIRE(frames.next());
  CHECK(frames.message().body == "a");
  REQUIRE(frames.next());
  CHECK(frames.message().body.size() == body.size());
  CHECK_FALSE(frames.next());
}

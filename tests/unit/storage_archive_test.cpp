#include "storage/archive.hpp"
#include "storage_fixture.hpp"

#include <catch2/catch.hpp>

using namespace vagus;
using namespace vagus::testing;

namespace {

const auto kinds = {bench_store::kind::memory, bench_store::kind::lmdb};
constexpr archive_limits usual{size_t{1} << 20, 60 * second};

/// What a stream is as an archive, read in pieces of that size.
std::string archived(message_store& store, size_t piece, bool with_consumers = true) {
  std::shared_ptr<message_store> held{&store, [](auto*) {}};
  archive_writer from{held, with_consumers};
  REQUIRE_FALSE(from.start());
  std::string all;
  for (;;) {
    auto bytes = from.read(piece);
    REQUIRE(bytes);
    all += *bytes;
    if (bytes->size() < piece) return all;
  }
}

store_error restored(std::string_view archive, bench_store& to, size_t piece,
                     archive_limits limits = usual) {
  archive_reader reader{*to, limits, to.now};
  for (; !archive.empty(); archive.remove_prefix(std::min(piece, archive.size())))
    if (auto error = reader.take(archive.substr(0, piece))) return error;
  return reader.finish();
}

/// Holes, a first sequence above 1, messages that expire, ids, consumers.
void fill(bench_store& s) {
  store_limits limits;
  limits.first_seq = 100;
  limits.duplicate_window_ns = 60 * second;
  s.configure(limits);
  for (int i = 0; i < 50; ++i, s.now += second) s.store("a." + std::to_string(i % 7), "payload");
  store_proposal p;
  p.subject = "b";
  p.headers = "NATS/1.0\r\nNats-Msg-Id: one\r\n\r\n";
  p.payload = "x";
  p.msg_id = "one";
  p.ttl_ns = 1000 * second;
  s.propose(p);
  for (uint64_t seq : {103, 104, 110, 149}) s.propose(delete_proposal{seq});
  s.store("c");
  s.propose(delete_proposal{151});
  s.propose(consumer_put_proposal{"C", "row"});
}

std::string everything(bench_store& s) {
  auto snapshot = s->read();
  std::string all;
  for (uint64_t seq = 0;;) {
    seq = *(*snapshot)->first_at_or_after(seq + 1);
    if (seq == 0) return all;
    auto m = *(*snapshot)->message(seq);
    all += std::to_string(m.seq) + ' ' + std::to_string(m.time_ns) + ' ' +
           std::to_string(m.expires_ns) + ' ' + std::string{m.subject} + ' ' +
           std::string{m.headers} + std::string{m.payload} + '\n';
  }
}

}  // namespace

TEST_CASE("archive: a stream is as it was, in another kind of store and under another name") {
  bench_store from{GENERATE(values(kinds))};
  fill(from);
  bench_store to{GENERATE(values(kinds))};
  to.now = from.now;
  REQUIRE_FALSE(restored(archived(*from, 100), to, GENERATE(1, 1000, 1 << 20)));
  REQUIRE(everything(to) == everything(from));
  auto a = from.state();
  auto b = to.state();
  a.bytes = b.bytes = 0;  // memory and files count differently
  REQUIRE(a == b);
  REQUIRE(to.count("a.1") == from.count("a.1"));
  auto again = to.store("b", "x", "one");
  REQUIRE(again.duplicate);
  REQUIRE(again.seq == 150);
  REQUIRE(to.store("d").seq == 152);
  REQUIRE(*(*to->read()).operator*().consumer("C") == std::optional<std::string>{"row"});
}

TEST_CASE("archive: consumers stay behind if that is asked for") {
  bench_store from{bench_store::kind::memory};
  fill(from);
  bench_store to{bench_store::kind::memory};
  to.now = from.now;
  REQUIRE_FALSE(restored(archived(*from, 100, false), to, 1000));
  REQUIRE((*to->read()).operator*().consumers({}, 10)->empty());
}

TEST_CASE("archive: a stream without messages keeps its place") {
  bench_store from{bench_store::kind::memory};
  fill(from);
  from.propose(purge_proposal{});
  bench_store to{bench_store::kind::lmdb};
  to.now = from.now;
  REQUIRE_FALSE(restored(archived(*from, 1 << 20), to, 1 << 20));
  REQUIRE(to.state().msgs == 0);
  REQUIRE(to.state().first_seq == 152);
  REQUIRE(to.state().last_time_ns == from.state().last_time_ns);
  REQUIRE(to.store("d").seq == 152);
}

TEST_CASE("archive: what is stored meanwhile is left out, what is removed is missing") {
  bench_store from{GENERATE(values(kinds))};
  for (int i = 0; i < 40; ++i) from.store("a", std::string(100'000, 'x'));
  std::shared_ptr<message_store> held{&*from, [](auto*) {}};
  archive_writer writer{held, true};
  REQUIRE_FALSE(writer.start());
  auto all = *writer.read(1000);
  from.store("a");
  from.propose(delete_proposal{39});
  all += *writer.read(100 << 20);
  bench_store to{bench_store::kind::memory};
  REQUIRE_FALSE(restored(all, to, 1 << 20));
  REQUIRE(to.state().msgs == 39);
  REQUIRE(to.state().last_seq == 40);
}

TEST_CASE("archive: one that is cut anywhere is incomplete") {
  bench_store from{bench_store::kind::memory};
  fill(from);
  auto all = archived(*from, 1 << 20);
  for (size_t size = 0; size < all.size(); size += 7) {
    bench_store to{bench_store::kind::memory};
    to.now = from.now;
    REQUIRE(restored(all.substr(0, size), to, 1 << 20).code == store_errc::corrupt);
  }
}

TEST_CASE("archive: a flipped bit is noticed wherever it is") {
  bench_store from{bench_store::kind::memory};
  fill(from);
  auto all = archived(*from, 1 << 20);
  for (size_t at = 0; at < all.size(); at += 5) {
    bench_store to{bench_store::kind::memory};
    to.now = from.now;
    auto flipped = all;
    flipped[at] ^= static_cast<char>(1 << (at % 8));
    REQUIRE(restored(flipped, to, 1 << 20).code == store_errc::corrupt);
  }
}

TEST_CASE("archive: other bytes are refused by name") {
  bench_store to{bench_store::kind::memory};
  REQUIRE(restored(std::string_view{"\xff\x06\x00\x00S2sTwO rest", 15}, to, 3).text ==
          "this is a snapshot of nats-server, which only that can restore");
  REQUIRE(restored("garbage", to, 100).text == "this is not a snapshot of vagus");
  REQUIRE(restored("", to, 100).text == "the snapshot is incomplete");
}

TEST_CASE("archive: a message that is too large here is refused") {
  bench_store from{bench_store::kind::memory};
  from.store("a", std::string(1000, 'x'));
  bench_store to{bench_store::kind::memory};
  REQUIRE(restored(archived(*from, 1 << 20), to, 1 << 20, {999, 0}).text ==
          "a message is larger than what is allowed here");
}

TEST_CASE("archive: a store that is closed meanwhile is not kept open") {
  auto store = std::make_shared<memory_store>("S");
  archive_writer writer{store, true};
  REQUIRE_FALSE(writer.start());
  store = nullptr;
  REQUIRE(writer.read(1 << 20).error().text == "stream closed");
}

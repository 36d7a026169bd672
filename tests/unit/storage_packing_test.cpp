#include "storage/archive.hpp"
#include "storage/limits_row.hpp"
#include "storage/lmdb_rows.hpp"
#include "storage/packing.hpp"
#include "storage/tool.hpp"
#include "storage_fixture.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <random>
#include <sstream>

using namespace vagus;
using namespace vagus::testing;

namespace fs = std::filesystem;

namespace {

store_limits packing(bool on = true) {
  store_limits limits;
  limits.compress = on;
  return limits;
}

/// As programs write it: names that come again, values that do not.
std::string json(size_t size, uint64_t seed) {
  std::mt19937_64 random{seed};
  std::string text = R"({"order":)" + std::to_string(random()) + R"(,"items":[)";
  while (text.size() < size)
    text += R"({"article":"A-)" + std::to_string(random() % 100'000) + R"(","quantity":)" +
            std::to_string(random() % 10) + R"(,"price":)" + std::to_string(random() % 10'000) +
            R"(,"currency":"EUR"},)";
  text.resize(size);
  return text;
}

std::string noise(size_t size, uint64_t seed) {
  std::mt19937_64 random{seed};
  std::string bytes(size, '\0');
  for (auto& c : bytes) c = static_cast<char>(random());
  return bytes;
}

std::string headers(size_t values) {
  return "NATS/1.0\r\nA: " + std::string(values, 'v') + "\r\n\r\n";
}

uint64_t put(bench_store& s, std::string_view head, std::string_view payload) {
  store_proposal p;
  p.subject = "a.b";
  p.headers = head;
  p.payload = payload;
  return s.propose(p).seq;
}

bool packed(bench_store& s, uint64_t seq) {
  auto snapshot = s->read();
  return (*snapshot)->head(seq)->packed;
}

void require_message(bench_store& s, uint64_t seq, std::string_view head,
                     std::string_view payload) {
  INFO("sequence " << seq);
  auto snapshot = std::move(*s->read());
  auto m = snapshot->message(seq);
  REQUIRE(m);
  REQUIRE(m->subject == "a.b");
  REQUIRE((m->headers == head));
  REQUIRE((m->payload == payload));
  auto h = *snapshot->head(seq);
  REQUIRE(h.headers_size == head.size());
  REQUIRE(h.payload_size == payload.size());
}

/// The bytes of a record with that block in the place of headers and payload.
std::string record_of(const stored_message& m, std::string_view block) {
  std::string bytes(record_size(m, block), '\0');
  write_record(bytes.data(), m, block);
  return bytes;
}

std::string block_of(std::string_view head, std::string_view payload) {
  return std::string{pack_body(head, payload).bytes()};
}

/// A block of what is `size` bytes long that says something else.
std::string with_size(std::string block, uint64_t size, uint64_t says) {
  std::string before, after;
  append_varint(before, size);
  append_varint(after, says);
  REQUIRE(block.starts_with(before));
  return after + block.substr(before.size());
}

void replace_in(const fs::path& file, std::string_view what, std::string_view with) {
  std::fstream f{file, std::ios::in | std::ios::out | std::ios::binary};
  std::string bytes{std::istreambuf_iterator<char>{f}, {}};
  f.clear();
  size_t found = 0;
  for (auto at = bytes.find(what); at != bytes.npos; at = bytes.find(what, at + 1), ++found)
    f.seekp(static_cast<std::streamoff>(at)).write(with.data(), static_cast<long>(with.size()));
  REQUIRE(found > 0);
}

}  // namespace

TEST_CASE("packing: messages come back as they were, whatever their size and content") {
  bench_store s{GENERATE(bench_store::kind::memory, bench_store::kind::lmdb)};
  s.configure(packing());
  std::vector<std::pair<std::string, std::string>> stored;
  auto add = [&](std::string head, std::string payload) {
    REQUIRE(put(s, head, payload) == stored.size() + 1);
    stored.emplace_back(std::move(head), std::move(payload));
  };
  for (size_t size :
       {0, 1, 100, 127, 128, 129, 200, 1000, 2000, 4096, 65'535, 65'536, 65'537, 300'000}) {
    add({}, std::string(size, 'x'));
    add({}, json(size, size));
    add({}, noise(size, size));
    add(headers(3), json(size, size + 1));
    add(headers(size), {});
    add(headers(size / 2), noise(size / 2, size));
  }
  for (int again = 0; again < 2; ++again, s.reopen())
    for (size_t i = 0; i < stored.size(); ++i)
      require_message(s, i + 1, stored[i].first, stored[i].second);
  if (auto* lmdb = dynamic_cast<lmdb_store*>(&*s)) REQUIRE(lmdb->verify(5, {}).empty());
}

TEST_CASE("packing: only what gets smaller by an eighth is packed, and nothing below 128 bytes") {
  bench_store s{bench_store::kind::lmdb};
  s.configure(packing());
  REQUIRE_FALSE(packed(s, put(s, {}, std::string(127, 'x'))));
  REQUIRE(packed(s, put(s, {}, std::string(128, 'x'))));
  REQUIRE_FALSE(packed(s, put(s, headers(90), {})));
  REQUIRE(packed(s, put(s, headers(200), {})));
  REQUIRE(packed(s, put(s, headers(60), std::string(60, 'x'))));
  REQUIRE_FALSE(packed(s, put(s, {}, noise(5000, 1))));
  REQUIRE_FALSE(packed(s, put(s, {}, noise(920, 1) + std::string(80, 'x'))));
  REQUIRE(packed(s, put(s, {}, noise(800, 1) + std::string(200, 'x'))));
}

TEST_CASE("packing: a stream in memory has messages as they came") {
  bench_store s{bench_store::kind::memory};
  s.configure(packing());
  REQUIRE_FALSE(packed(s, put(s, {}, std::string(1000, 'x'))));
}

TEST_CASE("packing: headers and payload need not lie behind one another") {
  auto payload = json(500, 1);
  REQUIRE(block_of(headers(9), payload) == block_of({}, headers(9) + payload));
}

TEST_CASE("packing: switched on and off, old messages stay as they are") {
  bench_store s{bench_store::kind::lmdb};
  auto payload = json(1000, 1);
  std::vector<bool> wanted;
  for (bool on : {false, true, false, true}) {
    s.configure(packing(on));
    for (int i = 0; i < 30; ++i, wanted.push_back(on)) put(s, headers(2), payload);
    s.reopen();
    REQUIRE((*s->read())->meta().limits == packing(on));
    put(s, headers(2), payload);
    wanted.push_back(on);
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    REQUIRE(packed(s, i + 1) == wanted[i]);
    require_message(s, i + 1, headers(2), payload);
  }
  REQUIRE(s.lmdb().verify(5, {}).empty());
  REQUIRE(s.count("a.*") == wanted.size());
}

TEST_CASE("packing: what comes back from the log is packed as it was") {
  lmdb_store_options synced = small_steps();
  synced.sync = true;
  bench_store s{bench_store::kind::lmdb, synced};
  auto payload = json(1000, 1);
  for (bool on : {true, false, true}) {
    s.configure(packing(on));
    put(s, {}, payload);
  }
  scratch crashed;
  for (const auto* name : {"data.mdb", "log.0", "log.1"})
    fs::copy(s.path() / name, crashed.path() / name);
  auto again = std::move(*lmdb_store::open(crashed.path(), "ORDERS", synced));
  REQUIRE(again->verify(5, {}).empty());
  auto snapshot = std::move(*again->read());
  REQUIRE(snapshot->meta().limits == packing());
  for (uint64_t seq : {1, 2, 3}) {
    REQUIRE(snapshot->head(seq)->packed == (seq != 2));
    REQUIRE(snapshot->message(seq)->payload == payload);
  }
}

TEST_CASE("packing: what is counted is what was published") {
  bench_store plain{bench_store::kind::lmdb};
  bench_store s{bench_store::kind::lmdb};
  auto limits = packing();
  limits.max_bytes = 20'000;
  limits.max_msg_size = 2000;
  s.configure(limits);
  limits.compress = false;
  plain.configure(limits);
  for (uint64_t i = 0; i < 50; ++i)
    for (auto* one : {&s, &plain}) put(*one, headers(i % 3 * 40), std::string(1000 + i, 'x'));
  REQUIRE(packed(s, 50));
  REQUIRE(s.state() == plain.state());
  REQUIRE(s.state().msgs == 17);
  std::string payload(2001, 'x');
  store_proposal large;
  large.subject = "a.b";
  large.payload = payload;
  REQUIRE(s.propose(large).error == store_errc::message_too_large);
}

TEST_CASE("packing: a marker is one with its headers packed, too") {
  bench_store s{bench_store::kind::lmdb};
  auto limits = packing();
  limits.max_age_ns = 10 * second;
  limits.subject_delete_marker_ttl_ns = 60 * second;
  s.configure(limits);
  // The block does not have the name a second time.
  put(s,
      "NATS/1.0\r\nNo-Nats-Marker-Reason: " + std::string(300, 'a') +
          "\r\nNats-Marker-Reason: Purge\r\n\r\n",
      {});
  REQUIRE(packed(s, 1));
  s.now += 20 * second;
  REQUIRE(s.apply(expire_proposal{}).markers.empty());
  REQUIRE(s.state().msgs == 0);
}

TEST_CASE("packing: a walk unpacks into the same memory, and subjects stay") {
  bench_store s{bench_store::kind::lmdb};
  s.configure(packing());
  for (uint64_t i = 0; i < 100; ++i) put(s, {}, json(10'000 - i, i));
  auto snapshot = std::move(*s->read());
  auto first = *snapshot->next_message(1);
  for (uint64_t seq = 2; seq <= 100; ++seq) {
    auto m = *snapshot->next_message(seq);
    REQUIRE((m.payload.data() == first.payload.data()));
    REQUIRE((m.payload == json(10'001 - seq, seq - 1)));
  }
  REQUIRE(first.subject == "a.b");
}

TEST_CASE("packing: a record whose size lies is corrupt, and takes no memory") {
  auto text = json(1000, 1);
  auto head = headers(20);
  auto block = block_of(head, text);
  auto size = head.size() + text.size();
  stored_message m{7, 1, 0, "a.b", head, text};
  auto opened = [&](std::string_view record) -> std::optional<stored_message> {
    static body_opener opener;
    auto found = read_record(record, 7);
    return found ? opener.open(*found) : std::nullopt;
  };
  REQUIRE(opened(record_of(m, block))->payload == text);
  REQUIRE(opened(record_of(m, {}))->payload == text);
  REQUIRE_FALSE(read_record(record_of(m, block), 8));
  for (uint64_t says : {uint64_t{0}, uint64_t{10}, 23 * block.size(), uint64_t{UINT32_MAX},
                        uint64_t{UINT32_MAX} + 1, UINT64_MAX}) {
    INFO(says);
    REQUIRE_FALSE(read_record(record_of(m, with_size(block, size, says)), 7));
  }
  for (uint64_t says : {head.size(), size - 1, size + 1, size + 500}) {
    INFO(says);
    REQUIRE_FALSE(opened(record_of(m, with_size(block, size, says))));
  }
  REQUIRE_FALSE(opened(record_of(m, block.substr(0, block.size() - 1))));
  REQUIRE_FALSE(opened(record_of(m, block.substr(0, 2))));
  m.headers = std::string_view{"x"};
  REQUIRE(opened(record_of(m, block))->headers == head.substr(0, 1));
}

TEST_CASE("packing: what holds most for its size is read") {
  for (char c : {'x', '\0'}) {
    std::string text(size_t{8} << 20, c);
    auto block = block_of({}, text);
    REQUIRE(text.size() > 20 * block.size());
    REQUIRE(unpacked_size(block) == text.size());
  }
}

TEST_CASE("packing: any bytes are safe to unpack") {
  std::mt19937_64 random{3};
  auto good = block_of({}, json(3000, 1));
  body_opener opener;
  for (int i = 0; i < 20'000; ++i) {
    auto block = i % 2 ? good : noise(1 + random() % 200, random());
    for (auto flips = random() % 4; flips > 0; --flips)
      block[random() % block.size()] = static_cast<char>(random());
    block.resize(1 + random() % block.size());
    auto size = unpacked_size(block);
    if (!size) continue;
    REQUIRE(*size <= 22 * block.size());
    if (auto m = opener.open({1, 0, 0, "a", 0, *size, true, block}))
      REQUIRE(m->payload.size() == *size);
    REQUIRE_FALSE(opener.open({1, 0, 0, "a", 0, *size + 1, true, block}));
  }
}

TEST_CASE("packing: damage in a block is an error that names its message") {
  bench_store s{bench_store::kind::lmdb};
  s.configure(packing());
  auto text = [](uint64_t seq) { return noise(200, seq) + std::string(500, 'x'); };
  for (uint64_t seq : {1, 2, 3}) put(s, {}, text(seq));
  s.close();
  auto part = noise(200, 2).substr(100, 50);
  replace_in(s.path() / "data.mdb", part, "?" + part.substr(1));
  s.reopen();
  REQUIRE(s.payload(2) == to_text(store_errc::corrupt));
  for (uint64_t seq : {1, 3}) require_message(s, seq, {}, text(seq));
  auto findings = s.lmdb().verify(5, {});
  REQUIRE(findings.size() == 1);
  REQUIRE(findings[0].seq == 2);
}

TEST_CASE("packing: a block that lies in its size, with a checksum that fits, is found") {
  bench_store s{bench_store::kind::lmdb};
  s.configure(packing());
  auto text = json(1000, 1);
  for (int i = 0; i < 3; ++i) put(s, {}, text);
  s.close();
  stored_message m{2, s.now, 0, "a.b", {}, text};
  auto block = block_of({}, text);
  replace_in(s.path() / "data.mdb", record_of(m, block),
             record_of(m, with_size(block, 1000, 1001)));
  s.reopen();
  REQUIRE(s.payload(2) == to_text(store_errc::corrupt));
  REQUIRE(s.payload(3) == text);
  {
    auto snapshot = std::move(*s->read());
    REQUIRE_FALSE(snapshot->next_message(2));
    REQUIRE(snapshot->next_message(2).error().seq == 2);
    REQUIRE(snapshot->head(2)->payload_size == 1001);
  }
  auto findings = s.lmdb().verify(5, {});
  REQUIRE(findings.size() == 2);  // and the bytes of the state do not fit either
  REQUIRE(findings[0].seq == 2);
  std::shared_ptr<message_store> held{&*s, [](auto*) {}};
  archive_writer archive{held, true};
  REQUIRE_FALSE(archive.start());
  REQUIRE(archive.read(1 << 20).error().seq == 2);
}

TEST_CASE("packing: an archive has messages as they were, and a restored stream packs its own") {
  bench_store from{bench_store::kind::lmdb};
  bool packs = GENERATE(true, false);
  from.configure(packing(packs));
  for (uint64_t i = 0; i < 20; ++i) put(from, headers(9), json(900, i));
  std::shared_ptr<message_store> held{&*from, [](auto*) {}};
  archive_writer writer{held, true};
  REQUIRE_FALSE(writer.start());
  auto archive = *writer.read(1 << 20);
  bench_store to{bench_store::kind::lmdb};
  archive_reader reader{*to, {size_t{1} << 20, 0, !packs}, to.now};
  REQUIRE_FALSE(reader.take(archive));
  REQUIRE_FALSE(reader.finish());
  for (uint64_t seq = 1; seq <= 20; ++seq) {
    REQUIRE(packed(from, seq) == packs);
    REQUIRE(packed(to, seq) != packs);
    require_message(to, seq, headers(9), json(900, seq - 1));
  }
  REQUIRE(to.state() == from.state());
}

TEST_CASE("packing: 10,000 messages of a kibibyte take less than half the room on the disk") {
  auto file_size = [](bool on) {
    bench_store s{bench_store::kind::lmdb, [] {
                    lmdb_store_options options;
                    options.sync = false;
                    return options;
                  }()};
    s.configure(packing(on));
    for (uint64_t i = 0; i < 10'000;) {
      batch_builder batch{s.now};
      for (auto end = i + 500; i < end; ++i) {
        auto payload = json(1024, i);
        store_proposal p;
        p.subject = "orders";
        p.payload = payload;
        batch.add(p);
      }
      REQUIRE_FALSE(s->append(batch.bytes()).error);
    }
    REQUIRE(s.state().bytes == 10'000 * (1024 + 6 + 30));
    return s.lmdb().size().file;
  };
  auto plain = file_size(false);
  auto packed = file_size(true);
  INFO(packed << " instead of " << plain);
  REQUIRE(2 * packed < plain);
}

TEST_CASE("packing: limits are as many bytes as before, and are read from before") {
  for (bool per_subject : {false, true})
    for (bool compress : {false, true}) {
      store_limits limits;
      limits.discard_new_per_subject = per_subject;
      limits.compress = compress;
      std::string bytes;
      append_limits(bytes, limits);
      REQUIRE(bytes.size() == 66);
      if (!compress) REQUIRE(bytes.back() == (per_subject ? 1 : 0));
      byte_reader in{bytes};
      REQUIRE(read_limits(in) == limits);
    }
}

TEST_CASE("store tool: check says how much is compressed") {
  bench_store s{bench_store::kind::lmdb};
  auto check = [&] {
    s.close();
    std::ostringstream out, err;
    REQUIRE(run_store_tool({"check", s.path().string()}, out, err) == 0);
    s.reopen();
    return out.str();
  };
  put(s, {}, std::string(2048, 'x'));
  REQUIRE(check().find("compressed") == std::string::npos);
  s.configure(packing());
  for (int i = 0; i < 4; ++i) put(s, headers(495), std::string(1536, 'x'));
  put(s, {}, "small");
  REQUIRE(check().find("  4 messages are compressed, from 8.0 KiB to ") != std::string::npos);
}

TEST_CASE("store tool: info says whether messages are compressed") {
  bench_store s{bench_store::kind::lmdb};
  bool on = GENERATE(true, false);
  s.configure(packing(on));
  s.close();
  std::ostringstream out, err;
  REQUIRE(run_store_tool({"info", s.path().string()}, out, err) == 0);
  REQUIRE(out.str().find(on ? "compression      s2\n" : "compression      none\n") !=
          std::string::npos);
}

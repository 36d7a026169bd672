#include "storage_fixture.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <random>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace vagus;
using namespace vagus::testing;

namespace fs = std::filesystem;

namespace {

applied put_many(message_store& store, size_t count, size_t size, int64_t now) {
  std::string payload(size, 'p');
  batch_builder batch{now};
  for (size_t i = 0; i < count; ++i) {
    auto subject = "s." + std::to_string(i % 10);
    store_proposal p;
    p.subject = subject;
    p.payload = payload;
    batch.add(p);
  }
  return store.append(batch.bytes());
}

std::unique_ptr<lmdb_store> must_open(const fs::path& dir, std::string_view name,
                                      lmdb_store_options options = small_steps()) {
  auto opened = lmdb_store::open(dir, name, options);
  if (!opened) FAIL(opened.error().text);
  return std::move(*opened);
}

/// Replaces the first occurrence of `what` in the file.
void overwrite(const fs::path& file, std::string_view what, std::string_view with) {
  std::fstream f{file, std::ios::in | std::ios::out | std::ios::binary};
  std::string bytes{std::istreambuf_iterator<char>{f}, {}};
  auto at = bytes.find(what);
  REQUIRE(at != std::string::npos);
  f.clear();
  f.seekp(static_cast<std::streamoff>(at));
  f.write(with.data(), static_cast<std::streamsize>(with.size()));
}

std::string read_file(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void write_file(const fs::path& file, std::string_view bytes) {
  std::ofstream{file, std::ios::binary} << bytes;
}

/// The first sector of one of the two meta pages that LMDB writes into a new file.
std::string new_meta_page(uint64_t number) {
  std::string head(512, '\0');
  auto put = [&](size_t at, auto value) { std::memcpy(head.data() + at, &value, sizeof value); };
  put(0, number);
  put(10, uint16_t{8});  // a meta page
  put(16, uint32_t{0xBEEFC0DE});
  put(20, uint32_t{1});
  put(32, uint64_t{1} << 20);  // the map
  put(40, uint32_t{4096});     // a page
  put(44, uint16_t{8});        // integer keys, of the free pages
  for (size_t root : {80, 128}) put(root, ~uint64_t{0});
  put(136, uint64_t{1});  // the last page
  return head;
}

/// Writes batches of three messages with ids and reports each one that is acknowledged, until
/// killed.
[[noreturn]] void write_until_killed(const fs::path& dir, int report) {
  auto options = small_steps();
  auto opened = lmdb_store::open(dir, "ORDERS", options);
  if (!opened) _exit(1);
  auto state = (*(*opened)->read())->state();
  int64_t now = state.last_time_ns + 1;
  for (uint64_t n = state.last_seq + 1;; n += 3) {
    batch_builder batch{now++};
    for (uint64_t i = n; i < n + 3; ++i) {
      auto text = std::to_string(i);
      auto subject = "s." + std::to_string(i % 7);
      store_proposal p;
      p.subject = subject;
      p.payload = p.msg_id = text;
      batch.add(p);
    }
    if (n % 5 == 0) batch.add(delete_proposal{n / 2});
    auto result = (*opened)->append(batch.bytes());
    if (result.error) _exit(2);
    if (write(report, &result.state.last_seq, 8) != 8) _exit(3);
  }
}

}  // namespace

TEST_CASE("storage: after kill -9 every acknowledged message is there and nothing is half") {
  scratch dir;
  must_open(dir.path(), "ORDERS")
      ->append(batch_builder{1}
                   .add(configure_proposal{store_limits{.duplicate_window_ns = second}, "{}"})
                   .bytes());
  uint64_t acknowledged = 0;
  for (int round = 0; round < 5; ++round) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    auto child = fork();
    if (child == 0) write_until_killed(dir.path(), ends[1]);
    close(ends[1]);
    // Each round lets it get a little further: past folds of the index and of the ids.
    uint64_t seq = 0;
    for (int i = 0; i < 40 + 60 * round && read(ends[0], &seq, 8) == 8; ++i) acknowledged = seq;
    kill(child, SIGKILL);
    while (read(ends[0], &seq, 8) == 8) acknowledged = seq;
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    REQUIRE(WIFSIGNALED(status));

    auto store = must_open(dir.path(), "");
    auto findings = store->verify(5, {});
    for (const auto& f : findings) UNSCOPED_INFO(f.text);
    REQUIRE(findings.empty());
    auto snapshot = std::move(*store->read());
    REQUIRE(snapshot->state().last_seq >= acknowledged);
    REQUIRE(snapshot->state().last_seq % 3 == 0);
    auto seqs = *snapshot->next(">", 0, 100'000);
    for (auto n : seqs) REQUIRE(snapshot->message(n)->payload == std::to_string(n));
    REQUIRE(seqs.size() == snapshot->state().msgs);
    auto last = std::to_string(acknowledged);
    snapshot.reset();
    store_proposal retry;
    retry.subject = "s.0";
    retry.msg_id = last;
    batch_builder batch{1};
    auto again = store->append(batch.add(retry).bytes()).outcomes.at(0);
    REQUIRE(again.duplicate);
    REQUIRE(again.seq == acknowledged);
  }
}

TEST_CASE("storage: the map grows under a batch, and readers see all of it") {
  auto options = small_steps();
  options.first_map = 1 << 20;
  bench_store s{bench_store::kind::lmdb, options};
  s.store("first");
  for (int i = 0; i < 20; ++i) REQUIRE_FALSE(put_many(*s, 500, 2000, s.now).error);
  REQUIRE(s.state().msgs == 10'001);
  REQUIRE(s.lmdb().size().map >= 20'000'000);
  REQUIRE(s.payload(10'001).size() == 2000);
  REQUIRE(s.lmdb().verify(5, {}).empty());
}

TEST_CASE("storage: a snapshot that keeps the map from growing delays a batch, and no more") {
  auto options = small_steps();
  options.first_map = 1 << 20;
  options.reader_patience = std::chrono::milliseconds{1};
  bench_store s{bench_store::kind::lmdb, options};
  s.store("first");
  {
    auto held = s->read();
    applied result;
    for (int i = 0; i < 20 && !result.error; ++i) result = put_many(*s, 500, 2000, s.now);
    REQUIRE(result.error.code == store_errc::busy_readers);
    REQUIRE((*held)->state().msgs == 1);
  }
  auto before = s.state().msgs;
  REQUIRE_FALSE(put_many(*s, 500, 2000, s.now).error);
  REQUIRE(s.state().msgs == before + 500);
}

TEST_CASE("storage: a full map stops writes with a clear error, and reads go on") {
  auto options = small_steps();
  options.first_map = options.largest_map = 2 << 20;
  bench_store s{bench_store::kind::lmdb, options};
  applied result;
  uint64_t stored = 0;
  for (;; stored += 100) {
    result = put_many(*s, 100, 1000, s.now);
    if (result.error) break;
  }
  REQUIRE(result.error.code == store_errc::no_space);
  REQUIRE(s.state().msgs == stored);
  REQUIRE(s.payload(stored).size() == 1000);
  REQUIRE(s.count("s.*") == stored);
  REQUIRE(put_many(*s, 1, 1, s.now).error.code == store_errc::stopped);
  // Room comes back: what the retry needs is there, and a purge frees the rest.
  REQUIRE_FALSE(s->retry());
  REQUIRE_FALSE(s->stopped());
  s.propose(purge_proposal{});
  s.store("a");
  REQUIRE_FALSE(put_many(*s, 100, 1000, s.now).error);
  REQUIRE(s.lmdb().verify(5, {}).empty());
}

TEST_CASE("storage: a file that may not grow stops writes, and retrying helps when it may") {
  bench_store s{bench_store::kind::lmdb};
  REQUIRE_FALSE(put_many(*s, 100, 1000, s.now).error);
  auto* before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  rlimit small{1 << 20, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  applied result;
  uint64_t stored = 100;
  for (int i = 0; i < 100 && !result.error; ++i) {
    result = put_many(*s, 100, 1000, s.now);
    if (!result.error) stored += 100;
  }
  auto msgs = s.state().msgs;
  auto text = s.payload(stored);
  auto refused = put_many(*s, 1, 1, s.now).error.code;
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, before);
  INFO(result.error.text);
  REQUIRE(result.error);
  REQUIRE_FALSE(result.error.text.empty());
  REQUIRE(msgs == stored);
  REQUIRE(text.size() == 1000);
  REQUIRE(refused == store_errc::stopped);
  REQUIRE_FALSE(s->retry());
  REQUIRE_FALSE(put_many(*s, 100, 1000, s.now).error);
  REQUIRE(s.state().msgs == stored + 100);
  REQUIRE(s.lmdb().verify(5, {}).empty());
}

TEST_CASE(
    "storage: a flipped bit is an error that names its message, and the others are readable") {
  bench_store s{bench_store::kind::lmdb};
  s.store("a", "first payload");
  s.store("a", "second payload");
  s.store("a", "third payload");
  s.close();
  overwrite(s.path() / "data.mdb", "second payload", "sekond payload");
  s.reopen();
  REQUIRE(s.payload(1) == "first payload");
  REQUIRE(s.payload(3) == "third payload");
  auto snapshot = std::move(*s->read());
  auto bad = snapshot->message(2);
  REQUIRE(bad.error().code == store_errc::corrupt);
  REQUIRE(bad.error().seq == 2);
  auto findings = s.lmdb().verify(5, {});
  REQUIRE(findings.size() == 1);
  REQUIRE(findings[0].seq == 2);
  snapshot.reset();
  batch_builder batch{s.now};
  REQUIRE(s->append(batch.add(delete_proposal{2}).bytes()).error.code == store_errc::corrupt);
  REQUIRE(s->stopped().seq == 2);
  REQUIRE(s.payload(3) == "third payload");
}

TEST_CASE("storage: what cannot be opened stays as it is") {
  scratch dir;
  std::ofstream{dir.path() / "data.mdb"} << std::string(20'000, 'x');
  auto opened = lmdb_store::open(dir.path(), "ORDERS", {});
  REQUIRE_FALSE(opened);
  REQUIRE(opened.error().code == store_errc::not_a_store);
  REQUIRE(fs::file_size(dir.path() / "data.mdb") == 20'000);
  fs::remove(dir.path() / "data.mdb");
  fs::remove(dir.path() / "lock.mdb");
  std::ofstream{dir.path() / "letter.txt"} << "x";
  REQUIRE(lmdb_store::open(dir.path(), "ORDERS", {}).error().code == store_errc::not_a_store);
  REQUIRE(fs::exists(dir.path() / "letter.txt"));
  REQUIRE_FALSE(fs::exists(dir.path() / "data.mdb"));
}

TEST_CASE("storage: a stream whose making was cut short is made") {
  scratch dir;
  std::ofstream{dir.path() / "lock.mdb"};
  must_open(dir.path(), "ORDERS");
  scratch other;
  std::ofstream{other.path() / "data.mdb"};
  REQUIRE(must_open(other.path(), "ORDERS")->stream() == "ORDERS");
}

TEST_CASE("storage: a stream whose making a power cut has torn is made") {
  // The heads of LMDB's two meta pages, where they are there, and how much of the file is.
  bool head_0 = GENERATE(false, true);
  bool head_1 = GENERATE(false, true);
  auto size = GENERATE(512u, 4096u, 4608u, 8192u, 11776u, 12288u);
  CAPTURE(head_0, head_1, size);
  scratch dir;
  std::string image(size, '\0');
  if (head_0) image.replace(0, 512, new_meta_page(0));
  if (head_1 && size > 4096) image.replace(4096, 512, new_meta_page(1));
  if (size > 8192) image.replace(8192, 512, std::string(512, 'r'));
  write_file(dir.path() / "data.mdb", image);
  auto store = must_open(dir.path(), "ORDERS");
  REQUIRE(store->stream() == "ORDERS");
  REQUIRE(put_many(*store, 3, 10, 1).number == 1);
  store.reset();
  REQUIRE((*must_open(dir.path(), "ORDERS")->read())->state().msgs == 3);
}

TEST_CASE("storage: of a finished stream that is damaged nothing is taken for one being made") {
  bench_store s{bench_store::kind::lmdb};
  s.store("a.1", "the payload");
  scratch copies;
  for (bool compact : {false, true})
    REQUIRE_FALSE(s.lmdb().copy(copies.path() / std::to_string(compact), compact, {}));
  auto compact = GENERATE(false, true);
  auto file = copies.path() / std::to_string(compact) / "data.mdb";
  auto whole = read_file(file);
  auto lost = GENERATE(0u, 4096u);  // the head of either meta page
  auto size = GENERATE(8192u, 12288u, 1u << 30);
  CAPTURE(compact, lost, size);
  auto damaged = whole.substr(0, size);
  damaged.replace(lost, 512, 512, '\0');
  // A compact copy begins as a new file does. Nothing can be read in three pages of one.
  bool nothing = compact && lost == 4096 && size <= 12288;
  write_file(file, damaged);
  bool opens = static_cast<bool>(lmdb_store::open(file.parent_path(), "ORDERS", {}));
  CHECK(opens == nothing);
  if (!nothing) CHECK(read_file(file) == damaged);
}

TEST_CASE("storage: a store without its state row does not open, and says so") {
  bench_store s{bench_store::kind::lmdb};
  s.store("a.1", "the payload");
  scratch copies;
  auto copy = copies.path() / "copy";
  REQUIRE_FALSE(s.lmdb().copy(copy, true, {}));
  overwrite(copy / "data.mdb", "state", "stbte");
  auto opened = lmdb_store::open(copy, "ORDERS", {});
  REQUIRE_FALSE(opened);
  CAPTURE(opened.error().text);
  REQUIRE(opened.error().code == store_errc::not_a_store);
}

TEST_CASE("storage: damage in the pages' own structure is an error of the store that has it") {
  bench_store s{bench_store::kind::lmdb};
  for (int i = 0; i < 500; ++i) s.store("s." + std::to_string(i % 50), std::string(100, 'p'));
  scratch copies;
  auto copy = copies.path() / "copy";
  REQUIRE_FALSE(s.lmdb().copy(copy, true, {}));
  auto whole = read_file(copy / "data.mdb");
  lmdb_store_options reading;
  reading.read_only = true;
  std::mt19937 random{1};
  size_t astray = 0;
  for (size_t page = 2 * 4096; page + 4096 <= whole.size(); page += 4096) {
    for (int tries = 0; tries < 10; ++tries) {
      auto damaged = whole;
      for (int i = 0; i < 6; ++i) damaged[page + 10 + random() % 60] = static_cast<char>(random());
      write_file(copy / "data.mdb", damaged);
      auto opened = lmdb_store::open(copy, "ORDERS", reading);
      if (!opened && opened.error().text.find("pages are damaged") != std::string::npos) ++astray;
    }
  }
  CHECK(astray > 0);  // else nothing was tried
  write_file(copy / "data.mdb", whole);
  CHECK(lmdb_store::open(copy, "ORDERS", reading));
}

TEST_CASE("storage: a second writer is refused, and another process reads along") {
  bench_store s{bench_store::kind::lmdb};
  s.store("a.1");
  REQUIRE_FALSE(lmdb_store::open(s.path(), "ORDERS", small_steps()));
  auto child = fork();
  if (child == 0) {
    setenv("VAGUS_READ_DIR", s.path().c_str(), 1);
    execl("/proc/self/exe", "storage_tests", "[.reader]", nullptr);
    _exit(9);
  }
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    put_many(*s, 20, 10, s.now);
    s.propose(delete_proposal{s.state().first_seq + 3});
  }
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  REQUIRE(s.lmdb().verify(5, {}).empty());
}

TEST_CASE("storage: what the other process of the test above does", "[.reader]") {
  auto* dir = std::getenv("VAGUS_READ_DIR");
  REQUIRE(dir != nullptr);
  auto options = small_steps();
  options.read_only = true;
  auto store = must_open(dir, "ORDERS", options);
  for (int i = 0; i < 30; ++i) {
    auto snapshot = std::move(*store->read());
    REQUIRE(*snapshot->count("*.*") == snapshot->state().msgs);
    REQUIRE(*snapshot->last(">") == snapshot->state().last_seq);
  }
  REQUIRE(store->verify(5, {}).empty());
  REQUIRE(put_many(*store, 1, 1, 1).error.code == store_errc::stopped);
}

TEST_CASE("storage: a directory has the stream that it was made for") {
  scratch dir;
  must_open(dir.path() / "s", "ORDERS");
  REQUIRE(lmdb_store::open(dir.path() / "s", "OTHER", {}).error().text ==
          "the stream's name is ORDERS");
  REQUIRE(must_open(dir.path() / "s", "")->stream() == "ORDERS");
  REQUIRE_FALSE(lmdb_store::open(dir.path() / "t", "", {}));
}

TEST_CASE("storage: what a crash leaves in the log is applied again, with sync or without") {
  auto sync = GENERATE(true, false);
  scratch dir;
  auto options = small_steps();
  options.sync = true;
  options.first_map = 1 << 20;
  auto child = fork();
  if (child == 0) {
    auto store = lmdb_store::open(dir.path(), "ORDERS", options);
    for (int i = 0; store && i < 20; ++i) put_many(**store, 50, 3000, 1000 + i);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  options.sync = sync;
  for (int opening = 0; opening < 2; ++opening) {
    auto store = must_open(dir.path(), "ORDERS", options);
    REQUIRE((*store->read())->state().msgs == 1000);
    REQUIRE(store->verify(5, {}).empty());
    REQUIRE(fs::exists(dir.path() / "log.0") == sync);
  }
}

TEST_CASE("storage: more snapshots than allowed are refused, and later ones are not") {
  auto options = small_steps();
  options.readers = 2;
  bench_store s{bench_store::kind::lmdb, options};
  s.store("a");
  auto one = s->read();
  auto two = s->read();
  auto three = s->read();
  REQUIRE_FALSE(three);
  REQUIRE(three.error().code == store_errc::too_many_readers);
  one->reset();
  REQUIRE(s->read());
}

TEST_CASE("storage: a copy is a store of its own, compact or not") {
  auto compact = GENERATE(false, true);
  bench_store s{bench_store::kind::lmdb};
  for (int i = 0; i < 10; ++i) put_many(*s, 200, 1000, s.now);
  s.propose(purge_proposal{"s.1", 0, 5, 0});
  scratch to;
  uint64_t copied = 0;
  auto error = s.lmdb().copy(to.path() / "copy", compact, [&](uint64_t done, uint64_t total) {
    copied = done;
    return done <= total;
  });
  REQUIRE_FALSE(error);
  REQUIRE(copied == fs::file_size(to.path() / "copy" / "data.mdb"));
  auto copy = must_open(to.path() / "copy", "ORDERS");
  REQUIRE((*copy->read())->state() == s.state());
  REQUIRE(copy->verify(5, {}).empty());
  REQUIRE_FALSE(put_many(*copy, 1, 1, s.now).error);
}

TEST_CASE("storage: a copy that is stopped leaves nothing behind") {
  bench_store s{bench_store::kind::lmdb};
  for (int i = 0; i < 20; ++i) put_many(*s, 200, 1000, s.now);
  scratch to;
  auto stop = [](uint64_t, uint64_t) { return false; };
  REQUIRE(s.lmdb().copy(to.path(), GENERATE(false, true), stop));
  REQUIRE(fs::is_empty(to.path()));
  s.store("a");
}

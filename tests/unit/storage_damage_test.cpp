#include "storage_fixture.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <map>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

using namespace vagus;
using namespace vagus::testing;

namespace fs = std::filesystem;

namespace {

constexpr size_t page_size = 4096, page_header = 16;

/// What LMDB had just allocated when it was left in the middle is lost.
#ifdef __SANITIZE_ADDRESS__
using may_leak = __lsan::ScopedDisabler;
#else
struct may_leak {
  ~may_leak() {}
};
#endif

std::string read_file(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// A store's file, as LMDB sees it: pages that begin with their number, flags and what is in use.
class image {
public:
  explicit image(std::string bytes) : bytes_{std::move(bytes)} {}

  const std::string& bytes() const { return bytes_; }
  size_t pages() const { return bytes_.size() / page_size; }

  template <class T>
  T at(size_t place) const {
    T value;
    std::memcpy(&value, bytes_.data() + place, sizeof value);
    return value;
  }

  /// Where the bytes of the page's structure are, as offset and size: of its header, and of some
  /// of its entries.
  std::vector<std::pair<size_t, size_t>> fields(size_t page) const {
    auto begin = page * page_size;
    std::vector<std::pair<size_t, size_t>> found{
        {begin, 8}, {begin + 10, 2}, {begin + 12, 2}, {begin + 14, 2}};
    auto flags = at<uint16_t>(begin + 10);
    if (flags == 8)  // a meta page: the two databases, the last page, the transaction
      for (size_t i = 0; i < 15; ++i) found.emplace_back(begin + 40 + 8 * i, 8);
    if (flags != 1 && flags != 2) return found;
    size_t entries = (at<uint16_t>(begin + 12) - page_header) / 2;
    for (size_t i = 0; i < entries; i += 1 + entries / 5) {
      auto place = begin + page_header + 2 * i;
      auto entry = begin + at<uint16_t>(place);
      found.emplace_back(place, 2);
      for (size_t k = 0; k < 8; k += 2) found.emplace_back(entry + k, 2);
      if ((at<uint16_t>(entry + 4) & 1) != 0)  // the number of the first page of a large value
        found.emplace_back(entry + 8 + at<uint16_t>(entry + 6), 8);
    }
    return found;
  }

private:
  std::string bytes_;
};

/// The same bytes with one field changed.
std::string change_field(const image& whole, std::pair<size_t, size_t> field,
                         std::mt19937_64& random) {
  auto bytes = whole.bytes().substr(field.first, field.second);
  switch (random() % 3) {
    case 0: {
      auto& byte = bytes[random() % bytes.size()];
      byte = static_cast<char>(byte ^ (1 << random() % 8));
      break;
    }
    case 1:
      for (auto& byte : bytes) byte = static_cast<char>(random());
      break;
    default:
      bytes.assign(bytes.size(), random() % 2 == 0 ? '\xFF' : '\0');
  }
  return bytes;
}

void overwrite(const fs::path& file, size_t at, std::string_view bytes) {
  int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  auto written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
  ::close(fd);
  REQUIRE(written == static_cast<ssize_t>(bytes.size()));
}

void write_file(const fs::path& file, std::string_view bytes) {
  std::ofstream{file, std::ios::binary} << bytes;
}

/// A store with something in each of its databases, and pages that were freed.
image make_image() {
  bench_store s{bench_store::kind::lmdb};
  s.configure({.duplicate_window_ns = 3600 * second});
  for (int i = 1; i <= 700; ++i) {
    auto text = std::to_string(i);
    store_proposal p;
    auto subject = "s." + std::to_string(i % 40) + (i % 9 == 0 ? "." + text : "");
    std::string payload(i % 50 == 0 ? 9000 : 120, 'p');
    p.subject = subject;
    p.payload = payload;
    if (i % 3 == 0) p.msg_id = text;
    if (i % 7 == 0) p.ttl_ns = 3600 * second;
    s.propose(p);
    if (i % 5 == 0) s.propose(delete_proposal{static_cast<uint64_t>(i / 2)});
    auto name = "c" + text;
    payload.resize(200);
    if (i % 100 == 0) s.propose(consumer_put_proposal{name, payload});
  }
  scratch copies;
  REQUIRE_FALSE(s.lmdb().copy(copies.path() / "copy", false, {}));
  return image{read_file(copies.path() / "copy" / "data.mdb")};
}

/// What the answers were.
using answers = std::map<std::string, size_t>;

void note(answers& seen, const char* what, const store_error& error) {
  ++seen[std::string{what} + ": " + (error ? to_text(error.code) : "right")];
}

template <class T>
void note(answers& seen, const char* what, const store_result<T>& result) {
  note(seen, what, result ? store_error{} : result.error());
}

void read_all(message_store& store, answers& seen) {
  auto read = store.read();
  note(seen, "snapshot", read);
  if (!read) return;
  auto& snapshot = **read;
  for (uint64_t seq = 1; seq <= 720; ++seq) note(seen, "message", snapshot.message(seq));
  for (uint64_t seq = 1;;) {
    auto m = snapshot.next_message(seq);
    note(seen, "walk", m);
    if (!m) break;
    REQUIRE(m->seq >= seq);
    seq = m->seq + 1;
  }
  for (auto* filter : {">", "s.*", "s.7", "s.7.*"}) {
    for (uint64_t from = 1;;) {
      auto found = snapshot.next(filter, from, 50);
      note(seen, "next", found);
      if (!found || found->empty()) break;
      REQUIRE(found->back() >= from);
      from = found->back() + 1;
    }
    note(seen, "count", snapshot.count(filter, 100));
    note(seen, "last", snapshot.last(filter));
    note(seen, "subjects", snapshot.subjects(filter, {}, 1000));
    note(seen, "last per subject", snapshot.last_per_subject(filter, 300));
  }
  note(seen, "first", snapshot.first_at_or_after(300));
  note(seen, "configuration", snapshot.config());
  note(seen, "consumer", snapshot.consumer("c300"));
  note(seen, "consumers", snapshot.consumers({}, 100));
}

void change(lmdb_store& store, const char* what, const proposal& p, answers& seen) {
  batch_builder batch{2000 * second};
  batch.add(p);
  note(seen, what, store.append(batch.bytes()).error);
  if (store.stopped()) note(seen, "retry", store.retry());
}

void change_all(lmdb_store& store, answers& seen) {
  store_proposal p;
  p.payload = "one more";
  p.ttl_ns = 3600 * second;
  for (int i = 0; i < 50; ++i) {  // enough to bring the index up to date
    auto id = "id " + std::to_string(i);
    auto subject = "s." + std::to_string(i);
    p.subject = subject;
    p.msg_id = id;
    change(store, "store", p, seen);
  }
  for (uint64_t seq : {2u, 51u, 100u, 101u, 550u, 699u})
    change(store, "delete", delete_proposal{seq}, seen);
  change(store, "purge", purge_proposal{.filter = "s.7"}, seen);
  change(store, "purge", purge_proposal{.filter = {}, .up_to = 300}, seen);
  change(store, "consumer", consumer_put_proposal{"c300", "another row"}, seen);
  change(store, "consumer", consumer_delete_proposal{"c100"}, seen);
  change(store, "limit", configure_proposal{{.max_msgs = 100}, "{}"}, seen);
  change(store, "expire", expire_proposal{}, seen);
}

void clear(lmdb_store& store, answers& seen) {
  change(store, "purge of all", purge_proposal{}, seen);
  store_proposal p;
  p.subject = "s.1";
  for (int i = 0; i < 50; ++i) change(store, "store again", p, seen);
}

void copy_all(lmdb_store& store, answers& seen) {
  scratch copies;
  note(seen, "copy", store.copy(copies.path() / "whole", false, {}));
  note(seen, "compact copy", store.copy(copies.path() / "compact", true, {}));
  for (const auto& finding : store.verify(3, {})) note(seen, "verify", finding);
}

class damage {
public:
  /// `logged`: with a log, and several batches in a transaction.
  explicit damage(bool logged = false) : options_{small_steps()} {
    options_.sync = logged;
    options_.sync_each_batch = false;
  }

  void run(uint64_t seed, size_t fields_per_page, bool opened_before) {
    std::mt19937_64 random{seed};
    for (size_t page = 0; page < whole_.pages(); ++page) {
      auto fields = whole_.fields(page);
      std::shuffle(fields.begin(), fields.end(), random);
      fields.resize(std::min(fields.size(), fields_per_page));
      for (auto field : fields) one(field, change_field(whole_, field, random), opened_before);
    }
    INFO(text());
    CHECK(other_.lmdb().verify(5, {}).empty());
  }

  void truncate() {
    for (size_t pages = 0; pages < whole_.pages(); pages += 1 + pages / 8) {
      CAPTURE(pages);
      may_leak here;
      auto store = open();
      fs::resize_file(file(), pages * page_size);
      use(*store);
    }
  }

  std::string text() const {
    std::string all;
    for (const auto& [what, times] : seen_) all += "\n  " + what + " " + std::to_string(times);
    return all;
  }
  size_t times(const std::string& what) const {
    auto at = seen_.find(what);
    return at == seen_.end() ? 0 : at->second;
  }

private:
  fs::path file() const { return dir_.path() / "data.mdb"; }

  std::unique_ptr<lmdb_store> open() {
    for (auto* name : {"lock.mdb", "log.0", "log.1"}) fs::remove(dir_.path() / name);
    write_file(file(), whole_.bytes());
    auto opened = lmdb_store::open(dir_.path(), "ORDERS", options_);
    REQUIRE(opened);
    if (options_.sync) (*opened)->commit_together([] {});
    return std::move(*opened);
  }

  void one(std::pair<size_t, size_t> field, const std::string& bytes, bool opened_before) {
    may_leak here;
    auto page = field.first / page_size;
    CAPTURE(page, field.first % page_size, field.second, opened_before);
    auto store = open();
    if (!opened_before) store.reset();
    overwrite(file(), field.first, bytes);
    if (!opened_before) {
      auto opened = lmdb_store::open(dir_.path(), "ORDERS", options_);
      note(seen_, "open", opened);
      if (opened) store = std::move(*opened);
    }
    if (store) use(*store);
  }

  void use(lmdb_store& store) {
    read_all(store, seen_);
    copy_all(store, seen_);
    change_all(store, seen_);
    read_all(store, seen_);
    clear(store, seen_);
    other_.store("other");
  }

  const image whole_ = make_image();
  lmdb_store_options options_;
  scratch dir_;
  bench_store other_{bench_store::kind::lmdb};
  answers seen_;
};

/// Reading has met damage, and so has `what`.
void check_met(const damage& d, const std::string& what) {
  CAPTURE(d.text());
  CHECK(d.times("message: a stored record is corrupt") > 0);
  CHECK(d.times(what + ": a stored record is corrupt") > 0);
}

}  // namespace

TEST_CASE("storage: damage of a page's structure in an open store is an error, and no more") {
  damage d;
  d.run(GENERATE(1, 2), 3, true);
  check_met(d, "store");
}

TEST_CASE("storage: damage of a page's structure from before the opening is an error, too") {
  damage d;
  d.run(GENERATE(3, 4), 2, false);
  check_met(d, "open");
}

TEST_CASE("storage: damage of a page's structure under a log is an error, and no more") {
  damage d{true};
  d.run(5, 1, true);
  check_met(d, "store");
}

TEST_CASE("storage: all of a page's structure, damaged in turn", "[.torture]") {
  auto* seed = std::getenv("SEED");
  damage d{GENERATE(false, true)};
  d.run(seed ? std::stoull(seed) : 1, 1000, GENERATE(true, false));
  WARN(d.text());
}

TEST_CASE("storage: a file that is cut short under an open store is an error, and no more") {
  damage d;
  d.truncate();
  CAPTURE(d.text());
  CHECK(d.times("message: a stored record is corrupt") > 0);
}

TEST_CASE("storage: a large value that its transaction has made smaller is no damage") {
  bench_store s{bench_store::kind::lmdb};
  std::string large(20'000, 'c'), smaller(6000, 'c');
  batch_builder batch{s.now};
  batch.add(consumer_put_proposal{"c", large}).add(consumer_put_proposal{"c", smaller});
  REQUIRE_FALSE(s->append(batch.bytes()).error);
  CHECK(s.lmdb().verify(5, {}).empty());
  s.propose(consumer_put_proposal{"c", "small"});
  CHECK(s.lmdb().verify(5, {}).empty());
}

TEST_CASE("storage: a fault that is no store's ends the process") {
  auto child = fork();
  if (child == 0) {
    for (int signal : {SIGSEGV, SIGBUS}) std::signal(signal, SIG_DFL);
    bench_store s{bench_store::kind::lmdb};
    s.store("a");
    volatile int* nowhere = nullptr;
    asm("" : "+r"(nowhere));
    *nowhere = 1;
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK_FALSE((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

// What the storage layer can do without a server: messages per second through `append`, synced, and
// the ratios that the index and the deduplication may cost.
//   storage_bench [--messages N] [--size BYTES] [--rounds N] [--dir DIR] [--unsynced]
//   storage_bench --subjects N [--ids] [--batch N]      one case alone, to profile
//                 [--content json|random] [--compress]  and what of it is compressed
//   storage_bench --gets N                              reading single messages
#include "storage/batch.hpp"
#include "storage/lmdb_store.hpp"
#include "storage/memory_store.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <sys/resource.h>
#include <vector>

namespace {

using namespace vagus;
namespace fs = std::filesystem;

struct settings {
  size_t messages = 600'000;
  size_t size = 128;
  int rounds = 3;
  fs::path dir = fs::temp_directory_path();
  bool sync = true;
  std::string content = "same";  ///< bytes of the payloads: all the same, "json" or "random"
  bool compress = false;
};

struct load {
  size_t subjects = 1;
  bool ids = false;
  size_t batch = 1000;
  bool memory = false;
};

std::unique_ptr<message_store> make(const settings& s, const load& l, const fs::path& dir) {
  if (l.memory) return std::make_unique<memory_store>("BENCH");
  lmdb_store_options options;
  options.sync = s.sync;
  auto opened = lmdb_store::open(dir, "BENCH", options);
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().text.c_str());
    std::exit(1);
  }
  return std::move(*opened);
}

/// What the process holds besides the files that it has mapped.
std::string anonymous_memory() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return line.substr(line.find_first_not_of(" \t", 8));
  return "unknown";
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

/// Names that come again and values that do not, or bytes that nothing makes smaller.
std::vector<std::string> payloads_of(const settings& s) {
  std::mt19937_64 random{7};
  if (s.content == "same") return {std::string(s.size, 'p')};
  std::vector<std::string> payloads(512);
  for (auto& text : payloads) {
    if (s.content == "json") text = R"({"order":)" + std::to_string(random()) + R"(,"items":[)";
    while (text.size() < s.size && s.content == "json")
      text += R"({"article":"A-)" + std::to_string(random() % 100'000) + R"(","quantity":)" +
              std::to_string(random() % 10) + R"(,"price":)" + std::to_string(random() % 10'000) +
              R"(,"currency":"EUR"},)";
    while (text.size() < s.size) text += static_cast<char>(random());
    text.resize(s.size);
  }
  return payloads;
}

/// What one of `count` gets takes, of messages anywhere in the stream, in nanoseconds.
double time_gets(const settings& s, size_t count) {
  auto dir = s.dir / "vagus-storage-bench";
  fs::remove_all(dir);
  auto store = make(s, {}, dir);
  std::string payload(s.size, 'p');
  for (size_t done = 0; done < s.messages; done += 1000) {
    batch_builder batch{1};
    for (int i = 0; i < 1000; ++i) {
      store_proposal p;
      p.subject = "bench";
      p.payload = payload;
      batch.add(p);
    }
    store->append(batch.bytes());
  }
  auto snapshot = std::move(*store->read());
  std::mt19937_64 random{7};
  size_t bytes = 0;
  auto start = std::chrono::steady_clock::now();
  for (size_t i = 0; i < count; ++i)
    bytes += snapshot->message(1 + random() % s.messages)->payload.size();
  std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  snapshot.reset();
  store.reset();
  fs::remove_all(dir);
  return bytes == count * s.size ? took.count() / static_cast<double>(count) : 0;
}

std::string resident;
uint64_t file_size = 0;
double append_cpu = 0;  ///< seconds for each message, of all threads
double walk_cpu = 0;    ///< the same, to read it again

void walk(message_store& store) {
  auto start = cpu_seconds();
  auto snapshot = store.read();
  size_t read = 0;
  for (uint64_t seq = 1;; ++read) {
    auto m = (*snapshot)->next_message(seq);
    if (!m) break;
    seq = m->seq + 1;
  }
  walk_cpu = (cpu_seconds() - start) / static_cast<double>(read);
}

/// Messages per second. The time that it takes to build batches does not count.
double run(const settings& s, const load& l) {
  auto dir = s.dir / "vagus-storage-bench";
  fs::remove_all(dir);
  auto store = make(s, l, dir);
  std::mt19937_64 random{7};
  auto payloads = payloads_of(s);
  int64_t now = 1'000'000'000;
  store_limits limits;
  limits.duplicate_window_ns = int64_t{120} * 1'000'000'000;
  limits.compress = s.compress;
  batch_builder configure{now};
  store->append(configure.add(configure_proposal{limits, "{}"}).bytes());
  std::chrono::duration<double> took{0};
  size_t stored = 0;
  double cpu = 0;
  for (size_t done = 0, n = 0; done < s.messages; done += l.batch) {
    batch_builder batch{now += 1'000'000};
    for (size_t i = 0; i < l.batch; ++i, ++n) {
      auto subject = "bench.s" + std::to_string(l.subjects == 1 ? 0 : random() % l.subjects);
      auto id = l.ids ? "id" + std::to_string(random()) : std::string{};
      store_proposal p;
      p.subject = subject;
      p.payload = payloads[n % payloads.size()];
      p.msg_id = id;
      batch.add(p);
    }
    cpu -= cpu_seconds();
    auto start = std::chrono::steady_clock::now();
    auto result = store->append(batch.bytes());
    took += std::chrono::steady_clock::now() - start;
    cpu += cpu_seconds();
    stored += result.outcomes.size();
    if (result.error) {
      std::fprintf(stderr, "%s\n", result.error.text.c_str());
      std::exit(1);
    }
  }
  resident = anonymous_memory();
  append_cpu = cpu / static_cast<double>(stored);
  if (auto* lmdb = dynamic_cast<lmdb_store*>(store.get())) file_size = lmdb->size().file;
  walk(*store);
  store.reset();
  fs::remove_all(dir);
  return static_cast<double>(stored) / took.count();
}

double median(const settings& s, const load& l) {
  std::vector<double> rates;
  for (int i = 0; i < s.rounds; ++i) rates.push_back(run(s, l));
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

void compare(const settings& s, const char* store, bool memory, size_t batch) {
  auto one = median(s, {1, false, batch, memory});
  auto many = median(s, {10'000, false, batch, memory});
  auto ids = median(s, {1, true, batch, memory});
  auto both = median(s, {10'000, true, batch, memory});
  std::printf("%-7s %6zu %10.0f %10.0f %7.2f %10.0f %7.2f %10.0f %7.2f\n", store, batch, one, many,
              one / many, ids, one / ids, both, one / both);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  load only;
  only.subjects = 0;
  size_t gets = 0;
  for (int i = 1; i < argc; ++i) {
    std::string flag = argv[i];
    auto value = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (flag == "--messages") s.messages = std::strtoull(value(), nullptr, 10);
    if (flag == "--size") s.size = std::strtoull(value(), nullptr, 10);
    if (flag == "--rounds") s.rounds = std::max(1, std::atoi(value()));
    if (flag == "--dir") s.dir = value();
    if (flag == "--unsynced") s.sync = false;
    if (flag == "--subjects") only.subjects = std::strtoull(value(), nullptr, 10);
    if (flag == "--batch") only.batch = std::max(1, std::atoi(value()));
    if (flag == "--ids") only.ids = true;
    if (flag == "--content") s.content = value();
    if (flag == "--compress") s.compress = true;
    if (flag == "--gets") gets = std::strtoull(value(), nullptr, 10);
  }
  for (int i = 0; gets > 0 && i < s.rounds; ++i)
    std::printf("%.0f ns for a get\n", time_gets(s, gets));
  if (gets > 0) return 0;
  if (only.subjects > 0) {
    std::printf("%.0f messages per second\n", median(s, only));
    std::printf("CPU per message: %.3f us to append, %.3f us to read again\n", 1e6 * append_cpu,
                1e6 * walk_cpu);
    std::printf("in the file: %.1f MiB\n", static_cast<double>(file_size) / 1048576);
    std::printf("memory besides the page cache while open: %s\n", resident.c_str());
    return 0;
  }
  std::printf("%zu messages of %zu bytes, %s; messages per second and how many times one subject\n",
              s.messages, s.size, s.sync ? "synced" : "not synced");
  std::printf("%-7s %6s %10s %10s %7s %10s %7s %10s %7s\n", "store", "batch", "1 subject", "10k",
              "times", "1, ids", "times", "10k, ids", "times");
  for (size_t batch : {100, 1000, 5000}) compare(s, "lmdb", false, batch);
  compare(s, "memory", true, 1000);
}

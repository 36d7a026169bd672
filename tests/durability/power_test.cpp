#define CATCH_CONFIG_MAIN
#include "power_image.hpp"
#include "storage/memory_store.hpp"
#include "workload.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

using namespace vagus;
using namespace vagus::testing;

namespace fs = std::filesystem;

namespace {

const char* name_of(workload_mode mode) {
  if (mode == workload_mode::synced) return "synced";
  return mode == workload_mode::relaxed ? "relaxed" : "unsynced";
}

/// A series of runs that each end with a power cut, on what the one before left.
class power_series {
public:
  power_series(uint64_t seed, workload_mode mode) : seed_{seed}, mode_{mode}, random_{seed} {
    auto parent = fs::exists("/dev/shm") ? fs::path{"/dev/shm"} : fs::temp_directory_path();
    auto name = (parent / "vagus-power-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    root_ = name;
    fs::create_directories(root_ / "image");
  }
  ~power_series() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  /// What went wrong; empty: nothing.
  std::string run(int cuts) {
    for (run_ = 1; run_ <= cuts; ++run_) {
      if (auto wrong = cut(); !wrong.empty()) return wrong;
      // Half of the time the next process has to recover, and may be cut while it does.
      auto looked_at = root_ / "image";
      if (random_() % 2) {
        looked_at = root_ / "looked-at";
        fs::remove_all(looked_at);
        fs::copy(root_ / "image", looked_at, fs::copy_options::recursive);
      }
      for (unsigned i = 0; i < workload_streams; ++i)
        if (auto wrong = check(looked_at, i); !wrong.empty())
          return "stream " + std::to_string(i) + " after cut " + std::to_string(run_) + ": " +
                 wrong;
    }
    return {};
  }

  /// Batches that had been appended and not synced, and were gone after a cut.
  uint64_t lost() const { return lost_; }

private:
  std::string cut() {
    fs::remove_all(root_ / "base");
    fs::remove_all(root_ / "live");
    fs::remove(root_ / "log");
    fs::copy(root_ / "image", root_ / "base", fs::copy_options::recursive);
    fs::copy(root_ / "image", root_ / "live", fs::copy_options::recursive);
    // Mostly early: recovery and the first batches are where it is interesting.
    auto after = std::to_string(1 + random_() % (random_() % 2 ? 60 : 1200));
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    auto child = fork();
    if (child == 0) {
      dup2(ends[1], 1);
      setenv("LD_PRELOAD", VAGUS_POWER_SHIM, 1);
      setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
      setenv("POWER_DIR", (root_ / "live").c_str(), 1);
      setenv("POWER_LOG", (root_ / "log").c_str(), 1);
      setenv("POWER_CUT", after.c_str(), 1);
      auto seed = std::to_string(seed_);
      auto run = std::to_string(run_);
      execl(VAGUS_POWER_WORKLOAD, "power_workload", (root_ / "live").c_str(), seed.c_str(),
            run.c_str(), "200", name_of(mode_), nullptr);
      _exit(9);
    }
    close(ends[1]);
    for (workload_ack ack; read(ends[0], &ack, sizeof ack) == sizeof ack;) {
      appended_[ack.stream] = ack.number;
      if (ack.durable != 0) acknowledged_[ack.stream] = ack.number;
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    uint64_t sector = random_() % 2 ? 512 : 4096;
    build_power_image(root_ / "base", root_ / "log", root_ / "image", {random_(), sector});
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return {};
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return "the process failed by itself after cut " + std::to_string(run_ - 1);
  }

  std::string check(const fs::path& dir, unsigned stream) {
    auto& acknowledged = acknowledged_[stream];
    auto opened = lmdb_store::open(workload_directory(dir, stream), "S" + std::to_string(stream),
                                   workload_options(mode_));
    if (!opened) return "does not open: " + opened.error().text;
    auto& store = **opened;
    auto findings = store.verify(3, {});
    if (!findings.empty()) return "verify: " + findings[0].text;
    auto applied = (*store.read())->meta().applied;
    if (applied < acknowledged)
      return std::to_string(acknowledged) + " batches were acknowledged, " +
             std::to_string(applied) + " are there";
    if (applied > appended_[stream] + 1)
      return std::to_string(appended_[stream]) + " batches were sent, " + std::to_string(applied) +
             " are there";
    lost_ += appended_[stream] - std::min(appended_[stream], applied);
    acknowledged = appended_[stream] = applied;  // what has been seen once has to stay
    memory_store expected{"S"};
    for (uint64_t n = 1; n <= applied; ++n) expected.append(workload_batch(seed_, stream, n));
    if (auto wrong = compare(store, expected); !wrong.empty()) return wrong;
    // Of a copy: the retries are not in the series.
    if (dir.filename() == "image") return {};
    return retry(store, expected, stream, applied);
  }

  static std::string compare(message_store& store, message_store& expected) {
    auto got = std::move(*store.read());
    auto wanted = std::move(*expected.read());
    auto state = got->state();
    state.bytes = wanted->state().bytes;  // counted differently in memory
    if (!(state == wanted->state())) return "the state is not that of a prefix of what was sent";
    auto names = *wanted->consumers({}, 100);
    if (*got->consumers({}, 100) != names) return "the names of the consumers";
    for (const auto& name : names)
      if (*got->consumer(name) != *wanted->consumer(name)) return "the row of " + name;
    for (auto seq = *wanted->first_at_or_after(0); seq != 0;
         seq = *wanted->first_at_or_after(seq + 1)) {
      auto a = got->message(seq);
      auto b = wanted->message(seq);
      if (!a || a->subject != b->subject || a->headers != b->headers || a->payload != b->payload ||
          a->time_ns != b->time_ns || a->expires_ns != b->expires_ns)
        return "message " + std::to_string(seq);
    }
    if (*got->last_per_subject(">", 0) != *wanted->last_per_subject(">", 0)) return "last";
    return {};
  }

  /// All that was sent last comes again, as from a client that got no answer: what is there is a
  /// duplicate, what is not is stored, and the second time everything with an id is a duplicate.
  std::string retry(message_store& store, message_store& expected, unsigned stream,
                    uint64_t applied) {
    auto from = applied > 20 ? applied - 20 : 2;
    for (int again = 0; again < 2; ++again)
      for (auto n = from; n <= applied + 1; ++n) {
        auto batch = workload_batch(seed_, stream, n);
        auto a = store.append(batch);
        auto b = expected.append(batch);
        if (a.error) return "a retry fails: " + a.error.text;
        for (size_t i = 0; i < b.outcomes.size(); ++i)
          if (a.outcomes[i].duplicate != b.outcomes[i].duplicate ||
              a.outcomes[i].seq != b.outcomes[i].seq)
            return "a retry has another outcome";
      }
    return compare(store, expected);
  }

  uint64_t seed_;
  workload_mode mode_;
  std::mt19937_64 random_;
  fs::path root_;
  int run_ = 0;
  uint64_t lost_ = 0;
  uint64_t appended_[workload_streams] = {};
  uint64_t acknowledged_[workload_streams] = {};
};

uint64_t setting(const char* name, uint64_t otherwise) {
  auto* given = std::getenv(name);
  return given && *given ? std::strtoull(given, nullptr, 10) : otherwise;
}

}  // namespace

TEST_CASE("durability: what was acknowledged survives power cuts, once and in order") {
  auto seed = setting("SEED", GENERATE(1u, 2u, 3u, 4u, 5u, 6u));
  INFO("SEED=" << seed);
  REQUIRE(power_series{seed, workload_mode::synced}.run(8) == "");
}

TEST_CASE("durability: without a sync for each batch a cut takes the end, and leaves no hole") {
  uint64_t lost = 0;
  for (uint64_t seed = setting("SEED", 1), last = seed + 5; seed <= last; ++seed) {
    INFO("SEED=" << seed);
    power_series series{seed, workload_mode::relaxed};
    REQUIRE(series.run(8) == "");
    lost += series.lost();
  }
  REQUIRE(lost > 0);  // or the cuts were no test
}

TEST_CASE("durability: a store that does not sync is found out") {
  int found = 0;
  for (uint64_t seed = 1; seed <= 5; ++seed)
    found += !power_series{seed, workload_mode::unsynced}.run(4).empty();
  REQUIRE(found == 5);
}

// For `make torture`: SECONDS, and SEED to begin with.
TEST_CASE("durability: power cuts for a long time", "[.torture]") {
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds{setting("SECONDS", 600)};
  auto seed = setting("SEED", std::random_device{}());
  for (uint64_t done = 1; std::chrono::steady_clock::now() < until; ++done, ++seed) {
    INFO("SEED=" << seed);
    auto mode = done % 2 != 0 ? workload_mode::synced : workload_mode::relaxed;
    INFO(name_of(mode));
    REQUIRE(power_series{seed, mode}.run(12) == "");
    if (done % 20 == 0) std::printf("%lu series of 12 power cuts\n", done);
  }
}

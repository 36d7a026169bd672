// The process that loses its power: works on a few streams and reports each batch that is
// acknowledged on standard output.
//   power_workload DIR SEED RUN BATCHES synced|relaxed|unsynced
#include "workload.hpp"

#include <cstdlib>
#include <memory>
#include <random>
#include <string_view>
#include <unistd.h>

using namespace vagus;
using namespace vagus::testing;

namespace {

struct worker {
  std::filesystem::path dir;
  uint64_t seed;
  workload_mode mode;
  std::unique_ptr<lmdb_store> stores[workload_streams];
  uint64_t applied[workload_streams] = {};

  void open(unsigned stream) {
    stores[stream].reset();
    auto name = "S" + std::to_string(stream);
    auto opened = lmdb_store::open(workload_directory(dir, stream), name, workload_options(mode));
    if (!opened) {
      dprintf(2, "open: %s\n", opened.error().text.c_str());
      _exit(2);
    }
    stores[stream] = std::move(*opened);
    stores[stream]->commit_together([] {});
    applied[stream] = (*stores[stream]->read())->meta().applied;
  }

  void batch(unsigned stream) {
    auto n = applied[stream] + 1;
    auto result = stores[stream]->append(workload_batch(seed, stream, n));
    if (result.error) {
      dprintf(2, "append: %s\n", result.error.text.c_str());
      _exit(3);
    }
    applied[stream] = result.number;
    report(stream, result.number, mode != workload_mode::relaxed);
  }

  void sync(unsigned stream) {
    if (auto error = stores[stream]->sync()) {
      dprintf(2, "sync: %s\n", error.text.c_str());
      _exit(5);
    }
    report(stream, applied[stream], true);
  }

  static void report(unsigned stream, uint64_t number, bool durable) {
    workload_ack ack{stream, number, durable};
    if (::write(1, &ack, sizeof ack) != sizeof ack) _exit(4);
  }
};

workload_mode mode_of(std::string_view name) {
  if (name == "synced") return workload_mode::synced;
  return name == "relaxed" ? workload_mode::relaxed : workload_mode::unsynced;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 1;
  worker w{argv[1], std::strtoull(argv[2], nullptr, 10), mode_of(argv[5]), {}};
  std::mt19937_64 random{w.seed + std::strtoull(argv[3], nullptr, 10)};
  for (unsigned i = 0; i < workload_streams; ++i) w.open(i);
  for (auto left = std::strtoull(argv[4], nullptr, 10); left > 0; --left) {
    auto stream = static_cast<unsigned>(random() % workload_streams);
    if (random() % 40 == 0) w.open(stream);
    w.batch(stream);
    if (w.mode == workload_mode::relaxed && random() % 8 == 0) w.sync(stream);
  }
  _exit(0);
}

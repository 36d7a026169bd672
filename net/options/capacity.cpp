#include "net/options/capacity.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <unistd.h>

namespace vagus {

namespace {

/// nats-server's, for when nothing can be found out.
constexpr int64_t unknown_memory = int64_t{256} << 20;
constexpr int64_t unknown_disk = int64_t{1} << 40;

/// In a container the machine's memory is not what one gets. "max" is no number, so no limit.
uint64_t control_group_memory() {
  std::ifstream file{"/sys/fs/cgroup/memory.max"};
  uint64_t limit = 0;
  return file >> limit ? limit : std::numeric_limits<uint64_t>::max();
}

}  // namespace

int64_t three_quarters(uint64_t bytes) {
  constexpr uint64_t most = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(std::min(bytes / 4 * 3, most));
}

int64_t memory_store_limit(const options& opts) {
  if (opts.max_memory_store >= 0) return opts.max_memory_store;
  auto pages = ::sysconf(_SC_PHYS_PAGES);
  auto page_size = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_size <= 0) return unknown_memory;
  auto machine = static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_size);
  return three_quarters(std::min(machine, control_group_memory()));
}

int64_t file_store_limit(const options& opts) {
  if (opts.max_file_store >= 0) return opts.max_file_store;
  std::error_code error;
  auto place = std::filesystem::absolute(opts.store_dir, error);
  while (!std::filesystem::exists(place, error) && place.has_relative_path())
    place = place.parent_path();
  auto space = std::filesystem::space(place, error);
  return error ? unknown_disk : three_quarters(space.available);
}

}  // namespace vagus

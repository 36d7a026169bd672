#include "storage/lmdb_resident.hpp"

#include "storage/lmdb_env.hpp"

#include <algorithm>
#include <sys/mman.h>
#include <vector>

/// Which pages are a map's
/// -----------------------
/// LMDB does not say where its map lies. But a read transaction's values lie in it, on a page that
/// begins with its own number; from there it is that many pages down to the first. That holds for
/// LMDB 0.9 alone, so both meta pages have to look as they do there; else nothing is given back.
///
/// The map is never written through and is shared with the page cache, so that MADV_DONTNEED drops
/// nothing but the process's page tables. A reader that comes meanwhile gets its pages mapped
/// again. The map cannot move, since it is done inside a read transaction.

namespace vagus {

namespace {

/// All that are open in this process.
struct environments {
  std::mutex mutex;
  std::vector<lmdb_env*> all;
};

environments& open_environments() {
  static environments here;
  return here;
}

bool is_known_format() {
  int major = 0;
  int minor = 0;
  mdb_version(&major, &minor, nullptr);
  return major == 0 && minor == 9;
}

bool is_meta_page(const char* page) {
  constexpr size_t page_header = 16;
  constexpr uint32_t magic = 0xBEEFC0DE;
  return load_le<uint32_t>(page + page_header) == magic;
}

/// The first byte of the map that `value` lies in; null: it is not what was expected.
char* map_of(std::string_view value, uint64_t page_size, uint64_t pages) {
  auto page = reinterpret_cast<uintptr_t>(value.data()) / page_size * page_size;
  auto number = load_le<uint64_t>(reinterpret_cast<const char*>(page));
  if (number >= pages || page < number * page_size) return nullptr;
  auto* map = reinterpret_cast<char*>(page - number * page_size);
  return is_meta_page(map) && is_meta_page(map + page_size) ? map : nullptr;
}

}  // namespace

void lmdb_env::list() {
  auto& here = open_environments();
  std::lock_guard lock{here.mutex};
  here.all.push_back(this);
}

void lmdb_env::unlist() {
  auto& here = open_environments();
  std::lock_guard lock{here.mutex};
  std::erase(here.all, this);
}

bool lmdb_env::give_back_if_unused() {
  {
    std::lock_guard lock{mutex_};
    if (closed_ || !env_ || inside_ > 0) return false;
  }
  if (used_.exchange(false, std::memory_order_relaxed)) {
    resident_ = true;
    return false;
  }
  return std::exchange(resident_, false) && give_back();
}

bool lmdb_env::give_back() {
  if (!is_known_format()) return false;
  try {
    struct inside {
      lmdb_env& env;
      MDB_txn* txn = env.enter();
      ~inside() { env.end_read(txn); }
    } reader{*this};
    std::string_view value;
    if (!find_value(reader.txn, databases_.meta, "format", value)) return false;
    auto page = page_size();
    auto size = used_size();
    char* map = nullptr;
    if (!survives_damage([&] { map = map_of(value, page, size / page); })) return false;
    return map != nullptr && ::madvise(map, size, MADV_DONTNEED) == 0;
  } catch (const store_failure&) {
    return false;  // whoever uses the store is told
  }
}

size_t give_back_unused_maps() {
  auto& here = open_environments();
  std::lock_guard lock{here.mutex};
  return static_cast<size_t>(std::count_if(
      here.all.begin(), here.all.end(), [](lmdb_env* env) { return env->give_back_if_unused(); }));
}

}  // namespace vagus

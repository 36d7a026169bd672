#include "storage/lmdb_env.hpp"

#include "storage/lmdb_fault.hpp"

#include <cerrno>
#include <sys/statvfs.h>

namespace vagus {

namespace {

constexpr size_t no_largest_map = size_t{1} << 44;  // 16 TiB

store_errc code_for(int code) {
  switch (code) {
    case MDB_MAP_FULL:
    case ENOSPC:
    case EFBIG:
    case EDQUOT:
      return store_errc::no_space;
    case MDB_MAP_RESIZED:
      return store_errc::busy_readers;  // another process has grown it
    case MDB_READERS_FULL:
      return store_errc::too_many_readers;
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
      return store_errc::not_a_store;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
      return store_errc::corrupt;
    default:
      return store_errc::io_error;
  }
}

}  // namespace

void fail_lmdb(int code, const char* what) {
  throw store_failure{{code_for(code), 0, std::string{what} + ": " + mdb_strerror(code)}};
}

lmdb_env::lmdb_env(std::filesystem::path directory, settings s)
    : directory_{std::move(directory)}, settings_{s} {
  if (settings_.largest_map == 0) settings_.largest_map = no_largest_map;
  list();
}

lmdb_env::~lmdb_env() {
  unlist();
  close();
}

void lmdb_env::close() {
  for (auto* txn : idle_) mdb_txn_abort(txn);
  idle_.clear();
  if (env_) mdb_env_close(env_);
  env_ = nullptr;
}

void lmdb_env::open() {
  check_lmdb(mdb_env_create(&env_), "make an environment");
  give_up_gently(env_);
  try {
    check_lmdb(mdb_env_set_maxdbs(env_, 16), "allow databases");
    check_lmdb(mdb_env_set_maxreaders(env_, settings_.readers), "allow readers");
    if (settings_.first_map > 0)
      check_lmdb(mdb_env_set_mapsize(env_, std::min(settings_.first_map, settings_.largest_map)),
                 "size the map");
    unsigned flags = MDB_NOTLS | (settings_.sync ? 0u : MDB_NOSYNC) |
                     (settings_.read_only ? unsigned{MDB_RDONLY} : 0u);
    check_lmdb(mdb_env_open(env_, directory_.c_str(), flags, 0640), directory_.c_str());
    open_databases();
  } catch (...) {
    close();
    throw;
  }
}

void lmdb_env::open_databases() {
  MDB_txn* txn = nullptr;
  check_lmdb(mdb_txn_begin(env_, nullptr, settings_.read_only ? unsigned{MDB_RDONLY} : 0u, &txn),
             "begin a transaction");
  int code = 0;
  auto open_one = [&](const char* name, unsigned flags, MDB_dbi& database) {
    code = mdb_dbi_open(txn, name, flags | (settings_.read_only ? 0u : MDB_CREATE), &database);
    if (code == 0) return;
    mdb_txn_abort(txn);
    if (code == MDB_NOTFOUND) code = MDB_INVALID;
    fail_lmdb(code, name);
  };
  // Whose environment it is, before anything is made in it.
  MDB_dbi all = 0;
  MDB_stat names{};
  code = mdb_dbi_open(txn, nullptr, 0, &all);
  if (code == 0) code = mdb_stat(txn, all, &names);
  if (code == 0 && names.ms_entries > 0) code = mdb_dbi_open(txn, "meta", 0, &databases_.meta);
  if (code != 0) {
    mdb_txn_abort(txn);
    fail_lmdb(code == MDB_NOTFOUND ? MDB_INVALID : code, "look at the environment");
  }
  open_one("meta", 0, databases_.meta);
  open_one("messages", MDB_INTEGERKEY, databases_.messages);
  open_one("removed", MDB_INTEGERKEY, databases_.removed);
  open_one("subjects", 0, databases_.subjects);
  open_one("blocks", 0, databases_.blocks);
  open_one("ids", MDB_INTEGERKEY, databases_.ids);
  open_one("id_index", 0, databases_.id_index);
  open_one("id_buckets", MDB_INTEGERKEY, databases_.id_buckets);
  open_one("ttl", 0, databases_.ttl);
  open_one("consumers", 0, databases_.consumers);
  check_lmdb(mdb_txn_commit(txn), "commit the databases");
}

/// LMDB calls a write that was cut short for want of space an i/o error, as it does a failing disk.
void lmdb_write::commit() {
  mdb_filehandle_t fd = -1;
  mdb_env_get_fd(mdb_txn_env(txn_), &fd);
  int code = mdb_txn_commit(std::exchange(txn_, nullptr));
  struct statvfs disk {};
  bool full = code == EIO && ::fstatvfs(fd, &disk) == 0 &&
              disk.f_bavail * disk.f_frsize < (uint64_t{1} << 20);
  check_lmdb(full ? ENOSPC : code, "commit");
}

void lmdb_env::close_gate() {
  std::unique_lock lock{mutex_};
  closed_ = true;
  if (changed_.wait_for(lock, settings_.reader_patience, [&] { return inside_ == 0; })) return;
  closed_ = false;
  changed_.notify_all();
  throw store_failure{{store_errc::busy_readers, 0, "readers keep the map from growing"}};
}

void lmdb_env::open_gate() {
  std::lock_guard lock{mutex_};
  closed_ = false;
  changed_.notify_all();
}

void lmdb_env::reopen(const std::function<void()>& between) {
  close_gate();
  close();
  try {
    between();
    open();
  } catch (...) {
    open_gate();
    throw;
  }
  open_gate();
}

size_t lmdb_env::map_size() const {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return info.me_mapsize;
}

size_t lmdb_env::used_size() const {
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_env_info(env_, &info);
  mdb_env_stat(env_, &stat);
  return (info.me_last_pgno + 1) * stat.ms_psize;
}

void lmdb_env::grow(size_t needed) {
  auto now = map_size();
  auto wanted = now;
  while (wanted < now + needed) wanted *= 2;
  wanted = std::min(wanted, settings_.largest_map);
  if (wanted <= now)
    throw store_failure{{store_errc::no_space, 0, "the map has reached its largest size"}};
  close_gate();
  int code = mdb_env_set_mapsize(env_, wanted);
  open_gate();
  check_lmdb(code, "grow the map");
}

bool lmdb_env::lacks(size_t spare) const {
  auto now = map_size();
  return now < settings_.largest_map && used_size() + spare > now;
}

MDB_txn* lmdb_env::begin_write() {
  MDB_txn* txn = nullptr;
  if (!env_) throw store_failure{{store_errc::io_error, 0, "the store is not open"}};
  used_.store(true, std::memory_order_relaxed);
  check_lmdb(mdb_txn_begin(env_, nullptr, 0, &txn), "begin a write");
  return txn;
}

MDB_txn* lmdb_env::begin_read() {
  used_.store(true, std::memory_order_relaxed);
  return enter();
}

MDB_txn* lmdb_env::enter() {
  MDB_txn* txn = nullptr;
  {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return !closed_; });
    if (!env_) throw store_failure{{store_errc::io_error, 0, "the store is not open"}};
    ++inside_;
    if (!idle_.empty()) {
      txn = idle_.back();
      idle_.pop_back();
    }
  }
  int code = txn ? mdb_txn_renew(txn) : mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
  if (code == 0) return txn;
  {
    std::lock_guard lock{mutex_};
    --inside_;
    changed_.notify_all();
  }
  fail_lmdb(code, "begin a read");
}

void lmdb_env::end_read(MDB_txn* txn) {
  mdb_txn_reset(txn);
  std::lock_guard lock{mutex_};
  idle_.push_back(txn);
  if (--inside_ == 0) changed_.notify_all();
}

bool find_value(MDB_txn* txn, MDB_dbi database, MDB_val key, std::string_view& value) {
  MDB_val found;
  int code = mdb_get(txn, database, &key, &found);
  if (code == MDB_NOTFOUND) return false;
  check_lmdb(code, "read an entry");
  value = to_view(found);
  return true;
}

void put_value(MDB_txn* txn, MDB_dbi database, MDB_val key, std::string_view value,
               unsigned flags) {
  auto bytes = to_val(value);
  check_lmdb(mdb_put(txn, database, &key, &bytes, flags), "write an entry");
}

bool remove_key(MDB_txn* txn, MDB_dbi database, MDB_val key) {
  int code = mdb_del(txn, database, &key, nullptr);
  if (code == MDB_NOTFOUND) return false;
  check_lmdb(code, "remove an entry");
  return true;
}

}  // namespace vagus

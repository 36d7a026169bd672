#include "storage/lmdb_env.hpp"

#include "storage/lmdb_pages.hpp"

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
    // What only damage makes of what is asked here.
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case MDB_INCOMPATIBLE:
    case MDB_KEYEXIST:
    case MDB_BAD_TXN:
    case MDB_BAD_DBI:
    case EFAULT:
    case lmdb_astray:
      return store_errc::corrupt;
    default:
      return store_errc::io_error;
  }
}

}  // namespace

void fail_lmdb(int code, const char* what) {
  const char* text = code == lmdb_astray ? "pages are damaged" : mdb_strerror(code);
  throw store_failure{{code_for(code), 0, std::string{what} + ": " + text}};
}

lmdb_cursor::lmdb_cursor(MDB_txn* txn, MDB_dbi database) {
  // The first look at a database, which may go astray, before anything is made for it.
  MDB_stat ignored{};
  check_lmdb(lmdb_call(mdb_stat, txn, database, &ignored), "look at a database");
  check_lmdb(lmdb_call(mdb_cursor_open, txn, database, &cursor_), "open a cursor");
}

namespace {

/// Looks at the first and last of its bytes: there are no more than fit into two pages.
bool is_key(const MDB_val& key) {
  constexpr size_t longest = 511;
  const auto* bytes = static_cast<const volatile char*>(key.mv_data);
  if (key.mv_size - 1 >= longest) return false;
  static_cast<void>(bytes[0]);
  static_cast<void>(bytes[key.mv_size - 1]);
  return true;
}

/// For what a cursor is about to change.
void check_pages(MDB_cursor* cursor, page_change what) {
  if (!can_change(cursor, what)) fail_lmdb(lmdb_astray, "look at what is to be changed");
}

}  // namespace

int lmdb_cursor::get(MDB_val& key, MDB_val& value, MDB_cursor_op op) const {
  int code = 0;
  bool whole = survives_damage([&] {
    code = mdb_cursor_get(cursor_, &key, &value, op);
    if (code == 0 && !(is_inside(mdb_cursor_txn(cursor_), value) && is_key(key)))
      code = lmdb_astray;
  });
  return whole ? code : lmdb_astray;
}

void lmdb_cursor::check() const {
  if (!is_sound(cursor_)) fail_lmdb(lmdb_astray, "look at an entry");
}

void lmdb_cursor::put(MDB_val key, MDB_val value) {
  MDB_val there = key;
  MDB_val former;
  bool found = move(there, former, MDB_SET_KEY);
  check_pages(cursor_, found ? page_change::replace : page_change::add);
  check_lmdb(lmdb_change(mdb_cursor_txn(cursor_), mdb_cursor_put, cursor_, &key, &value, 0u),
             "write an entry");
}

char* lmdb_cursor::append(MDB_val key, size_t size) {
  MDB_val last, ignored;
  if (!appends_ && move(last, ignored, MDB_LAST)) check_pages(cursor_, page_change::add);
  MDB_val place{size, nullptr};
  check_lmdb(lmdb_change(mdb_cursor_txn(cursor_), mdb_cursor_put, cursor_, &key, &place,
                         unsigned{MDB_APPEND | MDB_RESERVE}),
             "append an entry");
  appends_ = true;
  return static_cast<char*>(place.mv_data);
}

void lmdb_cursor::remove() {
  check_pages(cursor_, page_change::remove);
  check_lmdb(lmdb_change(mdb_cursor_txn(cursor_), mdb_cursor_del, cursor_, 0u), "remove an entry");
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
  expect_damage();
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
    check_lmdb(lmdb_call(mdb_env_open, env_, directory_.c_str(), flags, mdb_mode_t{0640}),
               directory_.c_str());
    open_databases();
  } catch (...) {
    close();
    throw;
  }
}

void lmdb_env::open_databases() {
  auto* txn = begin(settings_.read_only ? unsigned{MDB_RDONLY} : 0u);
  try {
    open_databases(txn);
  } catch (...) {
    mdb_txn_abort(txn);
    throw;
  }
  commit_txn(txn);
}

void lmdb_env::open_databases(MDB_txn* txn) {
  auto check = [](int code, const char* what) {
    check_lmdb(code == MDB_NOTFOUND ? MDB_INVALID : code, what);
  };
  databases_.end = 0;
  auto open_one = [&](const char* name, unsigned flags, MDB_dbi& database, bool may_lack = false) {
    flags |= settings_.read_only ? 0u : MDB_CREATE;
    int code = lmdb_change(txn, mdb_dbi_open, txn, name, flags, &database);
    if (code == MDB_NOTFOUND && may_lack) return false;
    check(code, name);
    databases_.end = std::max(databases_.end, database + 1);
    return true;
  };
  // Whose environment it is, before anything is made in it.
  constexpr auto what = "look at the environment";
  MDB_dbi all = 0;
  MDB_stat names{};
  check(lmdb_call(mdb_dbi_open, txn, nullptr, 0u, &all), what);
  check(lmdb_call(mdb_stat, txn, all, &names), what);
  if (names.ms_entries > 0) check(lmdb_call(mdb_dbi_open, txn, "meta", 0u, &databases_.meta), what);
  open_one("meta", 0, databases_.meta);
  open_one("messages", MDB_INTEGERKEY, databases_.messages);
  open_one("removed", MDB_INTEGERKEY, databases_.removed);
  databases_.has_removals = open_one("removals", MDB_INTEGERKEY, databases_.removals, true);
  open_one("subjects", 0, databases_.subjects);
  open_one("blocks", 0, databases_.blocks);
  open_one("ids", MDB_INTEGERKEY, databases_.ids);
  open_one("id_index", 0, databases_.id_index);
  open_one("id_buckets", MDB_INTEGERKEY, databases_.id_buckets);
  open_one("ttl", 0, databases_.ttl);
  open_one("consumers", 0, databases_.consumers);
  if (!is_known_lmdb(txn, databases_.meta))
    throw store_failure{{store_errc::io_error, 0, "this LMDB is not the one that is known here"}};
}

/// LMDB holds a lock, or has taken a reader's place, when it looks at the meta pages first: so they
/// are looked at before. Begins a transaction that is nobody's yet.
MDB_txn* lmdb_env::begin(unsigned flags) {
  MDB_txn* txn = nullptr;
  MDB_envinfo ignored{};
  const char* what = flags == 0 ? "begin a write" : "begin a read";
  check_lmdb(lmdb_call(mdb_env_info, env_, &ignored), what);
  check_lmdb(lmdb_call(mdb_txn_begin, env_, nullptr, flags, &txn), what);
  if (flags != 0 || is_sound(txn)) return txn;
  mdb_txn_abort(txn);
  fail_lmdb(lmdb_astray, what);
}

/// LMDB calls a write that was cut short for want of space an i/o error, as it does a failing disk.
void commit_txn(MDB_txn* txn) {
  mdb_filehandle_t fd = -1;
  mdb_env_get_fd(mdb_txn_env(txn), &fd);
  int code = lmdb_change(txn, mdb_txn_commit, txn);
  if (code == lmdb_astray) mdb_txn_abort(txn);
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

MDB_envinfo lmdb_env::info() const {
  MDB_envinfo info{};
  check_lmdb(lmdb_call(mdb_env_info, env_, &info), "look at the environment");
  return info;
}

size_t lmdb_env::map_size() const {
  return info().me_mapsize;
}

size_t lmdb_env::used_size() const {
  return (info().me_last_pgno + 1) * page_size();
}

size_t lmdb_env::page_size() const {
  MDB_stat stat{};
  check_lmdb(lmdb_call(mdb_env_stat, env_, &stat), "read the page size");
  return stat.ms_psize;
}

void lmdb_env::grow(size_t needed) {
  auto now = map_size();
  auto wanted = now;
  while (wanted < now + needed) wanted *= 2;
  wanted = std::min(wanted, settings_.largest_map);
  if (wanted <= now)
    throw store_failure{{store_errc::no_space, 0, "the map has reached its largest size"}};
  close_gate();
  int code = lmdb_call(mdb_env_set_mapsize, env_, wanted);
  open_gate();
  check_lmdb(code, "grow the map");
}

bool lmdb_env::lacks(size_t spare) const {
  auto now = map_size();
  return now < settings_.largest_map && used_size() + spare > now;
}

MDB_txn* lmdb_env::begin_write() {
  if (!env_) throw store_failure{{store_errc::io_error, 0, "the store is not open"}};
  used_.store(true, std::memory_order_relaxed);
  return begin(0);
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
  try {
    if (!txn) return begin(MDB_RDONLY);
    check_lmdb(lmdb_call(mdb_txn_renew, txn), "begin a read");
    return txn;
  } catch (const store_failure&) {
    mdb_txn_abort(txn);
    std::lock_guard lock{mutex_};
    --inside_;
    changed_.notify_all();
    throw;
  }
}

void lmdb_env::end_read(MDB_txn* txn) {
  mdb_txn_reset(txn);
  std::lock_guard lock{mutex_};
  idle_.push_back(txn);
  if (--inside_ == 0) changed_.notify_all();
}

bool find_value(MDB_txn* txn, MDB_dbi database, MDB_val key, std::string_view& value) {
  MDB_val found;
  int code = lmdb_call(mdb_get, txn, database, &key, &found);
  if (code == MDB_NOTFOUND) return false;
  if (code == 0 && !is_inside(txn, found)) code = lmdb_astray;
  check_lmdb(code, "read an entry");
  value = to_view(found);
  return true;
}

void put_value(MDB_txn* txn, MDB_dbi database, MDB_val key, std::string_view value) {
  lmdb_cursor{txn, database}.put(key, to_val(value));
}

bool remove_key(MDB_txn* txn, MDB_dbi database, MDB_val key) {
  lmdb_cursor there{txn, database};
  MDB_val former;
  if (!there.move(key, former, MDB_SET_KEY)) return false;
  there.remove();
  return true;
}

}  // namespace vagus

#pragma once

#include "storage/bytes.hpp"
#include "storage/lmdb_fault.hpp"
#include "storage/store_error.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <lmdb.h>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace vagus {

/// Throws what LMDB's or the system's `code` means, with `what` in front.
[[noreturn]] void fail_lmdb(int code, const char* what);

inline void check_lmdb(int code, const char* what) {
  if (code != 0) [[unlikely]]
    fail_lmdb(code, what);
}

inline MDB_val to_val(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}
inline MDB_val to_val(const uint64_t& key) {
  return {sizeof key, const_cast<uint64_t*>(&key)};
}
inline std::string_view to_view(const MDB_val& v) {
  return {static_cast<const char*>(v.mv_data), v.mv_size};
}

/// What a key of `size` bytes is in, where all keys have that size.
inline std::string_view key_of(const MDB_val& key, size_t size) {
  if (key.mv_size != size) [[unlikely]]
    fail_lmdb(lmdb_astray, "read a key");
  return to_view(key);
}

/// A key of a database with MDB_INTEGERKEY. LMDB aligns to two bytes.
inline uint64_t seq_of(const MDB_val& key) {
  return load_le<uint64_t>(key_of(key, sizeof(uint64_t)).data());
}

/// Of a key that was looked for at or behind `seq`. LMDB goes by the order of keys, where it is.
inline uint64_t seq_from(const MDB_val& key, uint64_t seq) {
  auto found = seq_of(key);
  if (found < seq) [[unlikely]]
    fail_lmdb(lmdb_astray, "find a key");
  return found;
}

/// The databases of one stream; storage/README.md says what is in them.
struct lmdb_databases {
  MDB_dbi meta, messages, removed, removals, subjects, blocks, ids, id_index, id_buckets, ttl,
      consumers;
  bool has_removals;  ///< not in a store of format 1 that is only read
  MDB_dbi end;        ///< all are below it, from 0 on: these and LMDB's own two
};

/// A cursor that closes itself; must not outlive its transaction. Throws `store_failure`.
class lmdb_cursor {
public:
  lmdb_cursor() = default;
  lmdb_cursor(MDB_txn* txn, MDB_dbi database);
  lmdb_cursor(lmdb_cursor&& other) noexcept
      : cursor_{std::exchange(other.cursor_, nullptr)}, appends_{other.appends_} {}
  lmdb_cursor& operator=(lmdb_cursor&& other) noexcept {
    std::swap(cursor_, other.cursor_);
    std::swap(appends_, other.appends_);
    return *this;
  }
  ~lmdb_cursor() {
    if (cursor_) mdb_cursor_close(cursor_);
  }

  /// False if there is no such entry. The bytes of `key` are known to be there, those of `value`
  /// are not: whoever reads them does it by `survives_damage`.
  bool move(MDB_val& key, MDB_val& value, MDB_cursor_op op) const {
    int code = get(key, value, op);
    if (code == MDB_NOTFOUND) return false;
    check_lmdb(code, "read an entry");
    return true;
  }

  /// The entry where the cursor stands; false if it stands nowhere.
  bool stands(MDB_val& key, MDB_val& value) const { return get(key, value, MDB_GET_CURRENT) == 0; }

  /// Looks at the pages that have led here; to be called for each entry of a walk.
  void check() const;

  void put(MDB_val key, MDB_val value);
  /// Behind all others; a place for `size` bytes.
  char* append(MDB_val key, size_t size);
  /// The entry where the cursor stands.
  void remove();

private:
  int get(MDB_val& key, MDB_val& value, MDB_cursor_op op) const;

  MDB_cursor* cursor_ = nullptr;
  bool appends_ = false;  ///< it has changed the pages of the last entry, and these stay changed
};

/// Every entry of a database in order, as `f(key, value)`, and the pages on the way to it are
/// looked at. `f` answers false: enough.
template <class F>
void for_each_entry(MDB_txn* txn, MDB_dbi database, F&& f) {
  lmdb_cursor entries{txn, database};
  MDB_val key, value;
  for (bool more = entries.move(key, value, MDB_FIRST); more;
       more = entries.move(key, value, MDB_NEXT)) {
    entries.check();
    if (!f(key, to_view(value))) return;
  }
}

/// One environment: its map, its write transaction, its readers.
///
/// LMDB lets the map grow only while this process has no transaction in it. So readers come in
/// through a gate: `grow` closes it, waits until those inside are gone, and opens it again. Ended
/// read transactions are kept, reset, for the next reader: beginning one then takes no system call.
class lmdb_env {
public:
  struct settings {
    size_t first_map = 0;
    size_t largest_map = 0;
    unsigned readers = 0;
    bool sync = true;
    bool read_only = false;
    std::chrono::milliseconds reader_patience{0};
  };

  lmdb_env(std::filesystem::path directory, settings s);
  ~lmdb_env();
  lmdb_env(const lmdb_env&) = delete;
  lmdb_env& operator=(const lmdb_env&) = delete;

  /// These throw `store_failure`.
  void open();
  /// `between` runs while it is closed.
  void reopen(const std::function<void()>& between);
  MDB_txn* begin_write();
  MDB_txn* begin_read();
  /// A read transaction that keeps its pages, and the caller ends.
  MDB_txn* pin() { return begin(MDB_RDONLY); }
  void grow(size_t needed);
  /// Less than `spare` bytes were never used, and more can be had.
  bool lacks(size_t spare) const;
  /// The map has its largest size.
  bool is_largest() const { return map_size() >= settings_.largest_map; }

  void end_read(MDB_txn* txn);

  const lmdb_databases& databases() const { return databases_; }
  MDB_env* raw() const { return env_; }
  // These throw `store_failure`.
  size_t map_size() const;
  size_t used_size() const;
  size_t page_size() const;

  /// Drops the map's pages from the process (lmdb_resident.hpp), unless a transaction has begun
  /// since the call before. True: it has.
  bool give_back_if_unused();

private:
  // lmdb_resident.cpp
  void list();
  void unlist();
  bool give_back();

  MDB_txn* enter();
  MDB_txn* begin(unsigned flags);
  MDB_envinfo info() const;
  void open_databases();
  void open_databases(MDB_txn* txn);
  void close();
  void close_gate();
  void open_gate();

  std::filesystem::path directory_;
  settings settings_;
  MDB_env* env_ = nullptr;
  lmdb_databases databases_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t inside_ = 0;
  bool closed_ = false;
  std::vector<MDB_txn*> idle_;
  std::atomic<bool> used_{false};  ///< a transaction has begun since the last look
  bool resident_ = false;          ///< it had been when that was taken
};

/// Ends it, be it committed or not; throws `store_failure`.
void commit_txn(MDB_txn* txn);

/// A write transaction that aborts unless it is committed.
class lmdb_write {
public:
  explicit lmdb_write(lmdb_env& env) : txn_{env.begin_write()} {}
  ~lmdb_write() {
    if (txn_) mdb_txn_abort(txn_);
  }
  lmdb_write(const lmdb_write&) = delete;

  MDB_txn* raw() const { return txn_; }
  void commit() { commit_txn(std::exchange(txn_, nullptr)); }

private:
  MDB_txn* txn_;
};

/// A read transaction.
class lmdb_read {
public:
  explicit lmdb_read(lmdb_env& env) : env_{env}, txn_{env.begin_read()} {}
  ~lmdb_read() { env_.end_read(txn_); }
  lmdb_read(const lmdb_read&) = delete;

  MDB_txn* raw() const { return txn_; }

private:
  lmdb_env& env_;
  MDB_txn* txn_;
};

/// The value of `key`, or nothing. Its bytes may not be there: see `lmdb_cursor::move`.
bool find_value(MDB_txn* txn, MDB_dbi database, MDB_val key, std::string_view& value);
inline bool find_value(MDB_txn* txn, MDB_dbi database, std::string_view key,
                       std::string_view& value) {
  return find_value(txn, database, to_val(key), value);
}
void put_value(MDB_txn* txn, MDB_dbi database, MDB_val key, std::string_view value);
bool remove_key(MDB_txn* txn, MDB_dbi database, MDB_val key);

}  // namespace vagus

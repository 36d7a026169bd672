#pragma once

#include "storage/lmdb_env.hpp"
#include "storage/write_log.hpp"

#include <atomic>
#include <thread>

namespace vagus {

/// Makes commits last with one write and one sync, where LMDB alone takes two after each other.
///
/// A batch goes into the log, which is synced, and then into the environment, which is not: its
/// pages reach the disk when the system likes. So that a power cut cannot leave a mixture, LMDB is
/// kept from overwriting the pages of the last checkpoint, a state that is on the disk as a whole:
/// by a read transaction, as for any reader. What LMDB does overwrite are its two meta pages; the
/// log has those of the checkpoint, and recovery puts them back. The environment is then in the
/// state of the checkpoint, and the batches of the log are applied again.
///
/// When the log is long, or the environment has grown, as it does until pages are free to be used
/// again, a checkpoint is made on a thread of its own while batches go on.
///
/// Belongs to the writer; throws `store_failure`.
class lmdb_log {
public:
  struct limits {
    uint64_t bytes = 0;
    uint64_t batches = 0;
    uint64_t growth = 0;    ///< of the environment's file, in bytes
    bool sync_each = true;  ///< false: batches wait for `sync` or the next checkpoint
  };

  lmdb_log(lmdb_env& env, std::filesystem::path directory, limits most)
      : env_{env}, directory_{std::move(directory)}, log_{directory_}, most_{most} {}
  ~lmdb_log();

  /// Before the environment is opened: brings its file back to the last checkpoint. The batches
  /// that are to be applied again.
  static std::vector<write_log::record> restore(const std::filesystem::path& directory);
  /// Whether `restore` would find anything to do.
  static bool needs_recovery(const std::filesystem::path& directory);

  /// Keeps the pages of what has just been opened. From here on commits are not synced.
  void hold();
  /// All that is committed is on the disk when it returns.
  void checkpoint();
  /// Goes on with the log of a store that was closed with a checkpoint.
  void resume() { log_.resume(); }

  /// It is time for a checkpoint, and the one before is complete or has to be waited for.
  bool wants_checkpoint() const;
  /// Takes a batch, which may survive from here on. With `checkpoint` it begins one before, of what
  /// is committed then; the batches before this one are forgotten: they have to be.
  void append(uint64_t number, std::string_view batch, bool checkpoint);
  /// The batch that was appended will survive, unless it is to wait for `sync`.
  void settle() {
    if (most_.sync_each) log_.sync();
  }
  void undo() { log_.undo(); }
  void sync() { log_.sync(); }
  /// True if something was appended or noted since the last checkpoint.
  bool changed() const { return changed_ || log_.batches() > 0; }
  void note_change() { changed_ = true; }

private:
  bool is_too_long() const;
  void begin_checkpoint();
  void sync_environment();
  void write_out();
  void join();
  std::string meta_pages();
  void release(MDB_txn*& pin);

  lmdb_env& env_;
  std::filesystem::path directory_;
  write_log log_;
  limits most_;
  MDB_txn* held_ = nullptr;  ///< pins the last complete checkpoint
  MDB_txn* next_ = nullptr;  ///< and the one that is being made
  std::thread syncing_;
  std::atomic<bool> synced_{false};
  store_error sync_error_;
  bool changed_ = false;
  size_t size_ = 0;  ///< of the environment at the last checkpoint
};

}  // namespace vagus

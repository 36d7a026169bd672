#pragma once

#include "storage/store_error.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// The batches that are on the disk but perhaps not yet in the environment's file: `log.0` and
/// `log.1`, taken in turn (storage/README.md has their bytes).
///
/// A file begins with a checkpoint: the bytes that bring the environment back to a state that is
/// on the disk as a whole, once it is marked as complete. Batches follow. Recovery takes the newest
/// complete checkpoint, its batches, and those of the file that was begun after it. So a checkpoint
/// is made while batches go on: they are written behind the new one, and the file before it stays
/// until the new one is complete.
///
/// All throw `store_failure`. `complete` may run beside `append`; otherwise one thread at a time.
class write_log {
public:
  explicit write_log(std::filesystem::path directory) : directory_{std::move(directory)} {}
  ~write_log();
  write_log(const write_log&) = delete;

  struct record {
    uint64_t number = 0;
    std::string batch;
  };
  struct contents {
    bool present = false;    ///< false: there is no complete checkpoint, and nothing to recover
    std::string checkpoint;  ///< what `begin` was given
    std::vector<record> records;
    /// Nothing has been written since the checkpoint was made, so that `resume` may go on there.
    bool untouched = false;
  };

  static bool exists(const std::filesystem::path& directory);
  /// Changes nothing. Fails with `corrupt` where something is damaged that no power cut can have
  /// damaged, as it was synced: to go on without it would silently lose what was acknowledged.
  static contents read(const std::filesystem::path& directory);
  static void remove(const std::filesystem::path& directory);

  /// Goes on behind a complete checkpoint that nothing follows (`contents::untouched`).
  void resume();
  /// Takes the other file. Must not be called before the last checkpoint is complete, but by a
  /// recovery, when all that it has applied is on the disk.
  void begin(std::string_view checkpoint);
  /// The state that `begin` described is on the disk.
  void complete();

  /// Gives the batch to the system, which begins to write it. It is on the disk after `sync`.
  void append(uint64_t number, std::string_view batch);
  void sync();
  /// The last batch was not taken after all.
  void undo();

  /// Of the batches behind the last checkpoint.
  uint64_t bytes() const { return end_ - start_; }
  uint64_t batches() const { return batches_; }

private:
  struct open_file {
    int fd = -1;
    uint64_t size = 0;
    bool complete = false;  ///< its checkpoint is on the disk, and marked
  };

  void open_files(bool create);
  void reserve(open_file& file, uint64_t size);

  std::filesystem::path directory_;
  open_file files_[2];
  int current_ = 0;
  uint64_t epoch_ = 0;
  uint64_t start_ = 0;
  uint64_t end_ = 0;
  uint64_t last_ = 0;  ///< where the last batch begins
  uint64_t batches_ = 0;
  bool synced_ = true;  ///< nothing was appended since the last sync
};

/// Makes what happened to a directory's entries last.
void sync_directory(const std::filesystem::path& directory);

}  // namespace vagus

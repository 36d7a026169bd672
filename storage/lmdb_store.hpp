#pragma once

#include "storage/message_store.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

namespace vagus {

struct lmdb_store_options {
  /// Of the first map; it doubles as needed. Costs address space only.
  size_t first_map = size_t{256} << 20;
  size_t largest_map = 0;  ///< 0: 16 TiB. The stream is out of space when it is full
  unsigned readers = 124;  ///< snapshots and threads of other processes at once
  /// How long a growing map waits for open snapshots before the batch is refused.
  std::chrono::milliseconds reader_patience{5000};
  /// False: a crash of the machine (not of the process) may lose or damage the stream.
  bool sync = true;
  /// False: `append` does not wait for the disk, `sync` does. A crash of the machine may take what
  /// was appended since the last `sync`, from its end, and leaves no hole.
  bool sync_each_batch = true;
  /// For tools: nothing is written, and another process may be the writer.
  bool read_only = false;
  bool report_removed = false;  ///< fill `applied::removed`

  // How much is collected in memory before an index on the disk is brought up to date. Small values
  // are for tests.
  size_t changes_per_fold = 524'288;  ///< messages stored and removed
  /// A removed message's record stays in place (gone_set.cpp) if it is so many sequences away
  /// from the one removed before. Later each batch takes out so many of those.
  uint64_t gone_apart = 256;
  size_t taken_out_per_batch = 8192;
  size_t ids_per_fold = 131'072;
  size_t ids_per_bucket = size_t{1} << 20;

  /// After a read so many batches are committed each by itself (`commit_together`).
  uint32_t alone_after_read = 256;
  /// And so they are while the disk has less free, in bytes.
  uint64_t spare_disk = uint64_t{1} << 30;

  // How long the log gets, and by how much the environment's file grows, before a checkpoint is
  // made. Until then pages are not used again: each batch may make the file grow by some.
  uint64_t log_bytes = uint64_t{16} << 20;
  uint64_t log_batches = 2048;
  uint64_t log_growth = uint64_t{256} << 20;
};

/// A stream in a directory of its own, in one LMDB environment (storage/README.md has the format).
/// It has one writer at a time, which a lock on a file in the directory takes care of; others open
/// it read-only, once in a process.
class lmdb_store : public message_store {
public:
  using opened = store_result<std::unique_ptr<lmdb_store>>;

  /// Opens the stream in `directory`, or makes a new one if it is empty or not there. `stream`
  /// empty: only an existing one. Nothing in the directory changes if it holds something else.
  static opened open(const std::filesystem::path& directory, std::string_view stream,
                     lmdb_store_options options = {});

  virtual const std::string& stream() const = 0;

  /// What the directory's file has taken up, and how much of that is in use. Zeros if that cannot
  /// be read.
  struct sizes {
    uint64_t file = 0;
    uint64_t map = 0;
  };
  virtual sizes size() const = 0;

  /// Bytes copied so far, and about how many there are. False: stop, and leave nothing behind.
  using progress = std::function<bool(uint64_t done, uint64_t total)>;

  /// Writes a consistent copy to `directory`, which must be empty or not be there, while `append`
  /// and `read` go on. `compact` leaves out free pages. The copy opens as a store.
  virtual store_error copy(const std::filesystem::path& directory, bool compact,
                           const progress& report) = 0;

  /// Messages that are packed, and their headers and payloads in bytes before and after.
  struct packed_share {
    uint64_t msgs = 0;
    uint64_t before = 0;
    uint64_t after = 0;
  };

  /// Reads everything and compares: every checksum, every index with the messages. Goes on after a
  /// finding; at most `most` of them. `report` as in `copy`, in messages. Adds to `packed`.
  virtual std::vector<store_error> verify(size_t most, const progress& report,
                                          packed_share* packed = nullptr) = 0;
};

}  // namespace vagus

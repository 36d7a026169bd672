#pragma once

#include "storage/message_store.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace vagus {

class batch_builder;

/// Writes a stream as one run of bytes (storage/README.md, "Archives"), as much of it at a time as
/// is asked for. Messages that are stored later are left out, and so are those that are removed
/// before their turn: the store goes on meanwhile. It is held only while a block is read, so
/// that it can be closed: what is read after that is an error.
class archive_writer {
public:
  archive_writer(std::weak_ptr<message_store> store, bool with_consumers)
      : store_{std::move(store)}, with_consumers_{with_consumers} {}

  /// Before anything else: fixes what belongs to the archive.
  store_error start();
  /// After `start`.
  const store_state& state() const { return meta_.state; }

  /// The next bytes: `size` of them, fewer only at the end.
  store_result<std::string> read(size_t size);

private:
  store_error fill();
  store_error add_consumers(store_snapshot& from, std::string& block);
  store_error add_messages(store_snapshot& from, std::string& block);
  void add_end(std::string& block);
  void put_block(std::string_view block);

  std::weak_ptr<message_store> store_;
  bool with_consumers_;
  store_meta meta_;
  std::string ready_;  ///< bytes that were not read yet
  size_t taken_ = 0;   ///< of `ready_`
  uint64_t blocks_ = 0;
  uint64_t next_ = 0;     ///< the sequence to go on with
  std::string consumer_;  ///< the last one that was written
  uint64_t msgs_ = 0;
  bool consumers_done_ = false;
  bool ended_ = false;
};

/// What a stream's archive may ask of its reader.
struct archive_limits {
  uint64_t max_message = 0;  ///< headers and payload of one message
  int64_t duplicate_window_ns = 0;
  bool compress = false;  ///< as in `store_limits`
};

/// Fills a new store with what an `archive_writer` has written. Any bytes are safe to read; memory
/// is bounded by one block, which is one message or about a mebibyte.
class archive_reader {
public:
  /// @param to a store to which nothing was ever appended
  /// @param now_ns nothing restored is later
  archive_reader(message_store& to, archive_limits limits, int64_t now_ns)
      : to_{to}, limits_{limits}, now_ns_{now_ns} {}

  /// The next bytes, split anywhere. After an error it does nothing more.
  store_error take(std::string_view bytes);
  /// There are no more bytes. Without an error, the store has everything.
  store_error finish();

private:
  store_error start();
  store_error take_block(std::string_view block);
  store_error take_record(uint8_t kind, class byte_reader& in, batch_builder& into);
  store_error fail(store_error error);

  message_store& to_;
  archive_limits limits_;
  int64_t now_ns_;
  std::string pending_;  ///< an incomplete block
  uint64_t blocks_ = 0;
  bool started_ = false;
  bool described_ = false;
  bool ended_ = false;
  uint64_t msgs_ = 0;
  uint64_t last_seq_ = 0;
  store_error failed_;
};

}  // namespace vagus

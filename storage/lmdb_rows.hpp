#pragma once

#include "storage/tables.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

// How rows look on the disk: storage/README.md describes every byte. A decoder that answers nothing
// has found that the checksum does not fit, or that some of the bytes are not there. All bytes of
// what it answers are there.

/// `unseal` for bytes that LMDB has found.
std::optional<std::string_view> read_sealed(std::string_view bytes, uint64_t seed = 0);

constexpr size_t record_header = 32;

/// A message's share of `max_bytes`: what nats-server's record of it takes in a file.
constexpr uint64_t counted_size(size_t subject, size_t headers, size_t payload) {
  return 22 + subject + (headers > 0 ? 4 + headers : 0) + payload + 8;
}

/// `block` is of headers and payload, and stands in their place unless it is empty.
size_t record_size(const stored_message& m, std::string_view block);
/// Writes a message to `out`, which has room for that.
void write_record(char* out, const stored_message& m, std::string_view block);
/// False: the checksum or the sizes do not fit. That a block has what it says shows only when it is
/// unpacked.
bool read_record(std::string_view bytes, uint64_t seq, stored_head& m);
std::optional<stored_head> read_record(std::string_view bytes, uint64_t seq);

/// A subject as key: itself, or its first 480 bytes and a hash of 16 bytes if it is longer.
constexpr size_t longest_plain_key = 480;
std::string subject_key(std::string_view subject);

/// A subject's share of the index.
struct subject_row {
  uint64_t id = 0;
  uint64_t count = 0;
  uint64_t first = 0;
  uint64_t last = 0;
  std::vector<uint64_t> newest;  ///< sequences that are in no block yet
  std::string long_name;         ///< only if the key is not the subject
};

std::string encode(const subject_row& row);
std::optional<subject_row> decode_subject(std::string_view bytes);

/// Full blocks of a subject's sequences have this many.
constexpr size_t block_size = 64;
std::string block_key(uint64_t id, uint64_t first);
std::string encode_block(uint64_t id, const std::vector<uint64_t>& seqs);
bool decode_block(std::string_view bytes, uint64_t id, uint64_t first, std::vector<uint64_t>& out);

/// What the LMDB store knows besides what every store knows.
struct lmdb_meta {
  store_meta common;
  uint64_t indexed_up_to = 0;  ///< the index holds all up to here
  uint64_t generation = 0;     ///< how often the index was brought up to date
  uint64_t last_subject_id = 0;
  uint64_t ids_indexed_up_to = 0;
  uint64_t id_bucket = 0;  ///< the one that is filled
};

std::string encode(const lmdb_meta& meta);
std::optional<lmdb_meta> decode_meta(std::string_view bytes);

constexpr uint32_t format_version = 2;
std::string encode_format(std::string_view stream);
struct format_row {
  uint32_t version = 0;  ///< at most ours
  std::string stream;
};
store_result<format_row> decode_format(std::string_view bytes);

struct id_row {
  int64_t time_ns = 0;
  std::string_view id;
};

/// To `out`, which has room for the id and 16 bytes.
void write_id(char* out, const id_row& row, uint64_t seq);
std::optional<id_row> decode_id(std::string_view bytes, uint64_t seq);

}  // namespace vagus

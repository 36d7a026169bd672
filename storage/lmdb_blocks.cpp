#include "storage/lmdb_blocks.hpp"

#include "storage/bytes.hpp"

#include <algorithm>

namespace vagus {

/// False if the entry belongs to another subject.
bool block_walk::load(const MDB_val& key, const MDB_val& value) {
  auto bytes = to_view(key);
  if (bytes.size() != 16 || load_be64(bytes.data()) != row_.id) return false;
  auto first = load_be64(bytes.data() + 8);
  if (!decode_block(to_view(value), row_.id, first, seqs_))
    throw store_failure{{store_errc::corrupt, first, "a block of the subject index"}};
  in_row_ = false;
  valid_ = true;
  return true;
}

bool block_walk::use_row() {
  seqs_ = row_.newest;
  in_row_ = true;
  valid_ = !seqs_.empty();
  return valid_;
}

void block_walk::seek(uint64_t from) {
  at_ = 0;
  valid_ = false;
  auto place = [&] {
    at_ = static_cast<size_t>(std::lower_bound(seqs_.begin(), seqs_.end(), from) - seqs_.begin());
  };
  if (!row_.newest.empty() && from >= row_.newest.front()) {
    use_row();
    place();
    valid_ = at_ < seqs_.size();
    return;
  }
  auto key_bytes = block_key(row_.id, from);
  auto key = to_val(key_bytes);
  MDB_val value;
  bool found = cursor_.move(key, value, MDB_SET_RANGE);
  bool here = found && load(key, value);
  if (here && seqs_.front() == from) return;
  // The block before may reach up to `from`.
  if (cursor_.move(key, value, found ? MDB_PREV : MDB_LAST) && load(key, value)) {
    place();
    if (at_ == seqs_.size()) next_block();
    return;
  }
  key = to_val(key_bytes);
  if (here && cursor_.move(key, value, MDB_SET_RANGE)) {
    load(key, value);
  } else {
    use_row();
  }
}

bool block_walk::next_block() {
  at_ = 0;
  MDB_val key, value;
  if (valid_ && in_row_) return valid_ = false;
  if (cursor_.move(key, value, MDB_NEXT) && load(key, value)) return true;
  return use_row();
}

void block_walk::next() {
  if (++at_ == seqs_.size()) next_block();
}

void block_walk::seek_back(uint64_t up_to) {
  valid_ = false;
  if (!row_.newest.empty() && row_.newest.front() <= up_to) {
    use_row();
  } else {
    auto key_bytes = block_key(row_.id, up_to);
    auto key = to_val(key_bytes);
    MDB_val value;
    bool found = cursor_.move(key, value, MDB_SET_RANGE);
    if (!(found && load(key, value) && seqs_.front() == up_to)) {
      valid_ = false;
      if (!cursor_.move(key, value, found ? MDB_PREV : MDB_LAST) || !load(key, value)) return;
    }
  }
  at_ = static_cast<size_t>(std::upper_bound(seqs_.begin(), seqs_.end(), up_to) - seqs_.begin());
  --at_;
}

bool block_walk::previous_block() {
  MDB_val key, value;
  bool moved;
  if (in_row_) {
    auto key_bytes = block_key(row_.id, UINT64_MAX);
    key = to_val(key_bytes);
    moved = cursor_.move(key, value, MDB_SET_RANGE);
    moved = cursor_.move(key, value, moved ? MDB_PREV : MDB_LAST);
  } else {
    moved = cursor_.move(key, value, MDB_PREV);
  }
  valid_ = false;
  if (!moved || !load(key, value)) return false;
  at_ = seqs_.size() - 1;
  return true;
}

void block_walk::previous() {
  if (at_ == 0) {
    previous_block();
  } else {
    --at_;
  }
}

uint64_t block_walk::count_from(uint64_t from) {
  if (from <= row_.first) return row_.count;
  uint64_t count = 0;
  seek(from);
  if (!valid_) return 0;
  count = seqs_.size() - at_;
  if (in_row_) return count;
  // The number of entries stands in front of each block: no need to decode it.
  MDB_val key, value;
  while (cursor_.move(key, value, MDB_NEXT) && load_be64(key_of(key, 16).data()) == row_.id) {
    uint16_t in_block = 0;
    auto bytes = to_view(value);
    if (!survives_damage([&] { in_block = load_le<uint16_t>(bytes.data()); }))
      throw store_failure{{store_errc::corrupt, 0, "a block of the subject index"}};
    count += in_block;
  }
  return count + row_.newest.size();
}

}  // namespace vagus

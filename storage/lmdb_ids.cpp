#include "storage/lmdb_ids.hpp"

#include "storage/bytes.hpp"
#include "storage/checksum.hpp"

#include <algorithm>

namespace vagus {

namespace {

std::string index_key(uint64_t bucket, uint64_t hash, uint64_t seq) {
  std::string key;
  append_le(key, __builtin_bswap32(static_cast<uint32_t>(bucket)));
  append_be64(key, hash);
  append_be64(key, seq);
  return key;
}

uint64_t bucket_of(std::string_view key) {
  return __builtin_bswap32(load_le<uint32_t>(key.data()));
}

std::string_view index_key_of(const MDB_val& key) {
  return key_of(key, 20);
}

[[noreturn]] void corrupt(uint64_t seq, const char* what) {
  throw store_failure{{store_errc::corrupt, seq, what}};
}

}  // namespace

void lmdb_ids::load(MDB_txn* txn) {
  table_.clear();
  filter_ = id_filter{};
  lmdb_cursor ids{txn, databases_.ids};
  auto from = meta_.ids_indexed_up_to + 1;
  auto key = to_val(from);
  MDB_val value;
  for (bool more = ids.move(key, value, MDB_SET_RANGE); more;
       more = ids.move(key, value, MDB_NEXT)) {
    auto seq = seq_of(key);
    auto row = decode_id(to_view(value), seq);
    if (!row) corrupt(seq, "message id");
    table_.add(checksum(row->id), seq);
  }
  if (auto b = read_bucket(txn, meta_.id_bucket)) fill_filter(txn, b->count);
}

std::optional<lmdb_ids::bucket> lmdb_ids::read_bucket(MDB_txn* txn, uint64_t number) const {
  std::string_view bytes;
  if (!find_value(txn, databases_.id_buckets, to_val(number), bytes)) return std::nullopt;
  bool fits = false;
  bool there = survives_damage([&] {
    fits = bytes.size() >= 24 &&
           load_le<uint64_t>(bytes.data() + 16) == checksum(bytes.substr(0, 16), number);
  });
  if (!there || !fits) corrupt(0, "id bucket");
  byte_reader in{bytes};
  bucket b;
  b.number = number;
  b.last_seq = in.le<uint64_t>();
  b.count = in.le<uint64_t>();
  b.filter = bytes.substr(24);
  return b;
}

void lmdb_ids::put_bucket(MDB_txn* txn, const bucket& b) const {
  std::string bytes;
  append_le(bytes, b.last_seq);
  append_le(bytes, b.count);
  seal(bytes, b.number);
  bytes.append(b.filter);
  put_value(txn, databases_.id_buckets, to_val(b.number), bytes);
}

bool lmdb_ids::is(MDB_txn* txn, uint64_t seq, std::string_view id, int64_t after_ns) const {
  std::string_view bytes;
  if (!find_value(txn, databases_.ids, to_val(seq), bytes)) return false;
  auto row = decode_id(bytes, seq);
  if (!row) corrupt(seq, "message id");
  return row->time_ns > after_ns && row->id == id;
}

void lmdb_ids::prefetch(std::string_view id) const {
  auto hash = checksum(id);
  table_.prefetch(hash);
  id_filter::prefetch(filter_.bytes(), hash);
}

uint64_t lmdb_ids::find(MDB_txn* txn, std::string_view id, int64_t after_ns) {
  auto hash = checksum(id);
  uint64_t found = 0;
  table_.each(hash, [&](uint64_t seq) {
    if (is(txn, seq, id, after_ns)) found = seq;
  });
  if (found != 0) return found;
  if (id_filter::may_have(filter_.bytes(), hash))
    found = find_in(txn, meta_.id_bucket, hash, id, after_ns);
  for (auto number = meta_.id_bucket; found == 0 && number > 0;) {
    auto b = read_bucket(txn, --number);
    if (!b) break;  // this one and all before have expired
    bool may_have = false;
    if (!survives_damage([&] { may_have = id_filter::may_have(b->filter, hash); }))
      corrupt(b->last_seq, "the filter of an id bucket");
    if (may_have) found = find_in(txn, number, hash, id, after_ns);
  }
  return found;
}

uint64_t lmdb_ids::find_in(MDB_txn* txn, uint64_t number, uint64_t hash, std::string_view id,
                           int64_t after_ns) const {
  lmdb_cursor index{txn, databases_.id_index};
  auto start = index_key(number, hash, 0);
  auto key = to_val(start);
  MDB_val value;
  for (bool more = index.move(key, value, MDB_SET_RANGE);
       more && index_key_of(key).substr(0, 12) == std::string_view{start}.substr(0, 12);
       more = index.move(key, value, MDB_NEXT)) {
    auto seq = load_be64(index_key_of(key).data() + 12);
    if (is(txn, seq, id, after_ns)) return seq;
  }
  return 0;
}

void lmdb_ids::add(std::string_view id, uint64_t seq, int64_t time_ns) {
  write_id(appending_.append(to_val(seq), id.size() + 16), {time_ns, id}, seq);
  table_.add(checksum(id), seq);
}

uint64_t lmdb_ids::first_seq(MDB_txn* txn) const {
  MDB_val key, value;
  lmdb_cursor ids{txn, databases_.ids};
  if (!ids.move(key, value, MDB_FIRST)) return UINT64_MAX;
  return seq_of(key);
}

bool lmdb_ids::expire(MDB_txn* txn, int64_t up_to_ns, size_t at_most) {
  MDB_val key, value;
  size_t removed = 0;
  bool more = false;
  auto first = UINT64_MAX;
  {
    lmdb_cursor ids{txn, databases_.ids};
    while (ids.move(key, value, MDB_FIRST)) {
      auto seq = seq_of(key);
      auto row = decode_id(to_view(value), seq);
      if (!row) corrupt(seq, "message id");
      bool old = row->time_ns <= up_to_ns;
      more = old && removed == at_most;
      first = seq;
      if (!old || more) break;
      ids.remove();
      ++removed;
      first = UINT64_MAX;
    }
  }
  drop_buckets(txn, first, 2 * at_most);
  return more;
}

/// Buckets whose last id is below `first` hold nothing that can still be found.
void lmdb_ids::drop_buckets(MDB_txn* txn, uint64_t first, size_t at_most) {
  MDB_val key, value;
  lmdb_cursor buckets{txn, databases_.id_buckets};
  if (!buckets.move(key, value, MDB_FIRST)) return;
  auto number = seq_of(key);
  if (number >= meta_.id_bucket) return;
  auto b = read_bucket(txn, number);
  if (!b) corrupt(0, "id bucket");
  if (b->last_seq >= first) return;
  lmdb_cursor index{txn, databases_.id_index};
  for (; at_most > 0; --at_most) {
    if (!index.move(key, value, MDB_FIRST) || bucket_of(index_key_of(key)) != number) {
      remove_key(txn, databases_.id_buckets, to_val(number));
      return;
    }
    index.remove();
  }
}

void lmdb_ids::fill_filter(MDB_txn* txn, size_t capacity) {
  size_t rounded = std::max<size_t>(per_fold_, 64);
  while (rounded < capacity) rounded *= 2;
  filter_ = id_filter{rounded};
  lmdb_cursor index{txn, databases_.id_index};
  auto start = index_key(meta_.id_bucket, 0, 0);
  auto key = to_val(start);
  MDB_val value;
  for (bool more = index.move(key, value, MDB_SET_RANGE);
       more && bucket_of(index_key_of(key)) == meta_.id_bucket;
       more = index.move(key, value, MDB_NEXT))
    filter_.add(load_be64(index_key_of(key).data() + 4));
}

void lmdb_ids::fold(MDB_txn* txn) {
  std::vector<std::pair<uint64_t, uint64_t>> run;
  auto first = first_seq(txn);
  for (auto entry : table_.slots())
    if (entry.second != 0 && entry.second >= first) run.push_back(entry);
  std::sort(run.begin(), run.end());
  auto b = read_bucket(txn, meta_.id_bucket).value_or(bucket{meta_.id_bucket, 0, 0, {}});
  bool append = b.count == 0;
  b.count += run.size();
  b.filter = {};
  if (b.count > filter_.capacity()) fill_filter(txn, b.count);
  lmdb_cursor index{txn, databases_.id_index};
  for (auto [hash, seq] : run) {
    auto key_bytes = index_key(b.number, hash, seq);
    if (append)
      index.append(to_val(key_bytes), 0);
    else
      index.put(to_val(key_bytes), {0, nullptr});
    filter_.add(hash);
    b.last_seq = std::max(b.last_seq, seq);
  }
  meta_.ids_indexed_up_to = meta_.common.state.last_seq;
  table_.clear();
  bool full = b.count >= per_bucket_;
  if (full) b.filter = filter_.bytes();
  put_bucket(txn, b);
  if (full) {
    ++meta_.id_bucket;
    filter_ = id_filter{};
  }
}

}  // namespace vagus

#include "storage/lmdb_verify.hpp"

#include "storage/bytes.hpp"
#include "storage/checksum.hpp"
#include "storage/lmdb_removals.hpp"

#include <algorithm>

namespace vagus {

namespace {

uint64_t mix(uint64_t seq) {
  return seq * 0x9E3779B97F4A7C15ull ^ (seq >> 7);
}

}  // namespace

void lmdb_verify::found(uint64_t seq, std::string text, store_errc code) {
  if (!enough()) findings_.push_back({code, seq, std::move(text)});
}

std::vector<store_error> lmdb_verify::run() {
  try {
    std::string_view bytes;
    auto meta =
        find_value(txn_, databases_.meta, "state", bytes) ? decode_meta(bytes) : std::nullopt;
    if (!meta) {
      found(0, "the state row");
      return std::move(findings_);
    }
    meta_ = std::move(*meta);
    removed();
    if (!messages()) return std::move(findings_);
    subjects();
    ids();
    ttl();
    sealed(databases_.consumers, "consumer row ");
    state();
  } catch (const store_failure& failure) {
    findings_.push_back(failure.error);
  }
  return std::move(findings_);
}

bool lmdb_verify::messages() {
  uint64_t done = 0;
  bool wanted = true;
  bool unread = false;
  auto gone = gone_.begin();
  for_each_entry(txn_, databases_.messages, [&](const MDB_val& key, std::string_view bytes) {
    auto seq = seq_of(key);
    gone = std::find_if(gone, gone_.end(), [&](uint64_t g) { return g >= seq; });
    if (gone != gone_.end() && *gone == seq) return true;
    if (++done % 65'536 == 0 && report_) wanted = report_(done, meta_.common.state.msgs);
    if (counted_.msgs++ == 0) counted_.first_seq = seq;
    counted_.last_seq = seq;
    auto m = read_record(bytes, seq);
    if (!m) {
      unread = true;
      found(seq, "message: the checksum does not fit");
      return wanted && !enough();
    }
    if (counted_.first_seq == seq) counted_.first_time_ns = m->time_ns;
    body_of(*m);
    counted_.bytes += counted_size(m->subject.size(), m->headers_size, m->payload_size);
    ttl_messages_ += m->expires_ns > 0;
    std::string subject{m->subject};
    ++live_[subject];
    if (seq <= meta_.indexed_up_to) {
      auto& k = indexed_[subject];
      ++k.count;
      k.sum += mix(seq);
    }
    return wanted && !enough();
  });
  // What cannot be read cannot be compared either.
  return wanted && !unread;
}

void lmdb_verify::body_of(const stored_head& m) {
  if (!opener_.open(m)) found(m.seq, "message: it cannot be unpacked");
  if (!m.packed) return;
  ++packed_.msgs;
  packed_.before += m.headers_size + m.payload_size;
  packed_.after += m.body.size();
}

/// Their messages are gone, but the index on the disk still has them, and their records may still
/// be there.
void lmdb_verify::removed() {
  for_each_removal(
      txn_, databases_,
      [&](std::string_view subject, uint64_t seq) {
        auto& k = indexed_[std::string{subject}];
        ++k.count;
        k.sum += mix(seq);
        gone_.push_back(seq);
      },
      [&](uint64_t row) { found(row, "removed row: the checksum does not fit"); });
  std::sort(gone_.begin(), gone_.end());
}

void lmdb_verify::subjects() {
  for_each_entry(txn_, databases_.subjects, [&](const MDB_val& key, std::string_view bytes) {
    row_of(to_view(key), bytes);
    return !enough();
  });
  for (const auto& [subject, k] : indexed_)
    if (k.count > 0) found(0, "subject " + subject + " is not in the index");
}

void lmdb_verify::row_of(std::string_view key, std::string_view bytes) {
  auto row = decode_subject(bytes);
  if (!row) return found(0, "index row of subject " + std::string{key});
  std::string subject{row->long_name.empty() ? key : row->long_name};
  auto at = indexed_.find(subject);
  auto expected = at == indexed_.end() ? known{} : at->second;
  known seen;
  uint64_t first = 0;
  uint64_t last = 0;
  block_walk blocks{txn_, databases_, *row};
  for (blocks.seek(0); blocks.valid(); blocks.next()) {
    if (seen.count++ == 0) first = blocks.seq();
    last = blocks.seq();
    seen.sum += mix(last);
  }
  if (seen.count != expected.count || seen.sum != expected.sum)
    found(0, "the index of subject " + subject + " has other messages than there are");
  if (seen.count != row->count || first != row->first || last != row->last)
    found(0, "the index row of subject " + subject + " does not fit its blocks");
  if (at != indexed_.end()) indexed_.erase(at);
}

void lmdb_verify::ids() {
  int64_t before = INT64_MIN;
  for_each_entry(txn_, databases_.ids, [&](const MDB_val& key, std::string_view bytes) {
    auto row = decode_id(bytes, seq_of(key));
    if (!row || row->time_ns < before) found(seq_of(key), "message id");
    if (row && seq_of(key) <= meta_.ids_indexed_up_to) {
      bool there = false;
      for (auto bucket = meta_.id_bucket + 1; bucket-- > 0 && !there;) {
        std::string index;
        append_le(index, __builtin_bswap32(static_cast<uint32_t>(bucket)));
        append_be64(index, checksum(row->id));
        append_be64(index, seq_of(key));
        std::string_view nothing;
        there = find_value(txn_, databases_.id_index, index, nothing);
      }
      if (!there) found(seq_of(key), "a message id is not in its index");
    }
    if (row) before = row->time_ns;
    return !enough();
  });
}

void lmdb_verify::ttl() {
  uint64_t rows = 0;
  for_each_entry(txn_, databases_.ttl, [&](const MDB_val& key, std::string_view) {
    ++rows;
    auto seq = load_be64(key_of(key, 16).data() + 8);
    std::string_view bytes;
    auto m = find_value(txn_, databases_.messages, to_val(seq), bytes) ? read_record(bytes, seq)
                                                                       : std::nullopt;
    if (!m || static_cast<uint64_t>(m->expires_ns) != load_be64(to_view(key).data()))
      found(seq, "a ttl row has no such message");
    return !enough();
  });
  if (rows != ttl_messages_) found(0, "messages with a time to live have no ttl row");
}

void lmdb_verify::sealed(MDB_dbi database, const char* what) {
  for_each_entry(txn_, database, [&](const MDB_val& key, std::string_view bytes) {
    if (!read_sealed(bytes)) found(0, what + std::string{to_view(key)});
    return !enough();
  });
}

void lmdb_verify::state() {
  const auto& s = meta_.common.state;
  bool fits = s.msgs == counted_.msgs && s.bytes == counted_.bytes &&
              s.num_subjects == live_.size() && counted_.last_seq <= s.last_seq;
  if (counted_.msgs > 0)
    fits = fits && s.first_seq == counted_.first_seq && s.first_time_ns == counted_.first_time_ns;
  else
    fits = fits && (s.first_seq == s.last_seq + 1 || (s.first_seq == 0 && s.last_seq == 0));
  if (!fits) found(0, "the state row does not fit the messages");
}

}  // namespace vagus

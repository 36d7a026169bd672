#include "storage/lmdb_fold.hpp"

#include "storage/bytes.hpp"
#include "storage/lmdb_blocks.hpp"
#include "storage/lmdb_pages.hpp"

#include <algorithm>
#include <iterator>

namespace vagus {

namespace {

class index_fold {
public:
  index_fold(MDB_txn* txn, const lmdb_databases& databases, lmdb_meta& meta)
      : txn_{txn}, databases_{databases}, meta_{meta} {}

  void fold(const std::string& key, const subject_delta& delta) {
    std::vector<uint64_t> removed;
    removed.reserve(delta.removed.size());
    for (auto [seq, batch] : delta.removed) removed.push_back(seq);
    std::sort(removed.begin(), removed.end());
    auto above = std::upper_bound(removed.begin(), removed.end(), meta_.indexed_up_to);
    std::vector<uint64_t> added;
    std::set_difference(delta.added.begin(), delta.added.end(), above, removed.end(),
                        std::back_inserter(added));
    removed.erase(above, removed.end());
    if (added.empty() && removed.empty()) return;
    auto row = read(key, delta.subject);
    remove(row, removed);
    add(row, added);
    if (row.count == 0) {
      remove_key(txn_, databases_.subjects, to_val(key));
      return;
    }
    if (!removed.empty()) find_ends(row);
    put_value(txn_, databases_.subjects, to_val(key), encode(row));
  }

private:
  subject_row read(const std::string& key, const std::string& subject) {
    std::string_view bytes;
    if (find_value(txn_, databases_.subjects, key, bytes)) {
      if (auto row = decode_subject(bytes)) return *row;
      throw store_failure{{store_errc::corrupt, 0, "index row of subject " + subject}};
    }
    subject_row row;
    row.id = ++meta_.last_subject_id;
    if (key != subject) row.long_name = subject;
    return row;
  }

  void add(subject_row& row, const std::vector<uint64_t>& added) {
    for (auto seq : added) {
      row.newest.push_back(seq);
      if (row.newest.size() < block_size) continue;
      put_block(row.id, row.newest);
      row.newest.clear();
    }
    if (added.empty()) return;
    if (row.count == 0) row.first = added.front();
    row.last = added.back();
    row.count += added.size();
  }

  void put_block(uint64_t id, const std::vector<uint64_t>& seqs) {
    auto key = block_key(id, seqs.front());
    put_value(txn_, databases_.blocks, to_val(key), encode_block(id, seqs));
  }

  /// Rewrites each block that loses something once.
  void remove(subject_row& row, const std::vector<uint64_t>& removed) {
    for (auto at = removed.begin(); at != removed.end();) {
      block_walk blocks{txn_, databases_, row};
      blocks.seek(*at);
      if (!blocks.valid() || blocks.seq() != *at)
        throw store_failure{{store_errc::corrupt, *at, "not in the subject index"}};
      auto block = blocks.block();
      auto end = std::upper_bound(at, removed.end(), block.back());
      std::vector<uint64_t> left;
      std::set_difference(block.begin(), block.end(), at, end, std::back_inserter(left));
      row.count -= block.size() - left.size();
      if (blocks.in_row()) {
        row.newest = std::move(left);
      } else {
        if (left.empty() || left.front() != block.front()) {
          auto key = block_key(row.id, block.front());
          remove_key(txn_, databases_.blocks, to_val(key));
        }
        if (!left.empty()) put_block(row.id, left);
      }
      at = end;
    }
  }

  void find_ends(subject_row& row) {
    block_walk blocks{txn_, databases_, row};
    blocks.seek(0);
    row.first = seq_at(blocks);
    blocks.seek_back(UINT64_MAX);
    row.last = seq_at(blocks);
  }

  static uint64_t seq_at(const block_walk& blocks) {
    if (blocks.valid()) return blocks.seq();
    throw store_failure{{store_errc::corrupt, 0, "the subject index lacks a block"}};
  }

  MDB_txn* txn_;
  const lmdb_databases& databases_;
  lmdb_meta& meta_;
};

}  // namespace

void fold_index(MDB_txn* txn, const lmdb_databases& databases, const index_overlay& overlay,
                lmdb_meta& meta) {
  index_fold run{txn, databases, meta};
  for (const auto& [key, delta] : overlay.deltas()) run.fold(key, delta);
  for (auto rows : {databases.removed, databases.removals})
    check_lmdb(lmdb_clear(txn, rows), "clear the rows of removals");
  meta.indexed_up_to = meta.common.state.last_seq;
  ++meta.generation;
}

}  // namespace vagus

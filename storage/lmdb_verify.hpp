#pragma once

#include "storage/lmdb_store.hpp"
#include "storage/lmdb_tables.hpp"

namespace vagus {

/// What `lmdb_store::verify` does, in one snapshot of the environment.
class lmdb_verify {
public:
  lmdb_verify(MDB_txn* txn, const lmdb_databases& databases, size_t most,
              const lmdb_store::progress& report, lmdb_store::packed_share& packed)
      : txn_{txn}, databases_{databases}, most_{most}, report_{report}, packed_{packed} {}

  std::vector<store_error> run();

private:
  /// What the index knows of one subject, from its rows alone.
  struct known {
    uint64_t count = 0;
    uint64_t sum = 0;  ///< of the hashed sequences: equal sets have equal sums
  };

  bool messages();
  void removed();
  void subjects();
  void body_of(const stored_head& m);
  void row_of(std::string_view key, std::string_view bytes);
  void ids();
  void ttl();
  void sealed(MDB_dbi database, const char* what);
  void state();
  void found(uint64_t seq, std::string text, store_errc code = store_errc::corrupt);
  bool enough() const { return findings_.size() >= most_; }

  MDB_txn* txn_;
  const lmdb_databases& databases_;
  size_t most_;
  const lmdb_store::progress& report_;
  lmdb_store::packed_share& packed_;
  std::vector<store_error> findings_;
  lmdb_meta meta_;
  store_state counted_;
  uint64_t ttl_messages_ = 0;
  body_opener opener_;
  std::vector<uint64_t> gone_;
  std::unordered_map<std::string, known> indexed_;  ///< at or below the mark, by subject
  std::unordered_map<std::string, uint64_t> live_;  ///< messages, by subject
};

}  // namespace vagus

#pragma once

#include "storage/lmdb_ids.hpp"
#include "storage/lmdb_index.hpp"
#include "storage/lmdb_removals.hpp"
#include "storage/lmdb_store.hpp"

#include <memory>

namespace vagus {

/// The rows of a stream in an environment, as the writer sees and changes them. What it keeps in
/// memory can be read again from the environment at any time (`load`), so that a transaction which
/// does not commit leaves no trace.
class lmdb_tables : public tables {
public:
  lmdb_tables(const lmdb_databases& databases, const lmdb_store_options& options)
      : databases_{databases},
        changes_per_fold_{options.changes_per_fold},
        gone_apart_{options.gone_apart},
        taken_out_per_batch_{options.taken_out_per_batch},
        ids_{databases_, meta_, options.ids_per_fold, options.ids_per_bucket} {}

  void load(MDB_txn* txn);

  /// Between these two calls the functions of `tables` work, inside this transaction. `first`: no
  /// other batch has been applied in it.
  void begin(MDB_txn* txn, bool first = true);
  /// Writes the meta row. Afterwards the cursors are closed, ready to commit.
  void finish();
  void abandon();

  /// Writes what waits for that, just before the transaction commits. Throws `store_failure`.
  void settle(MDB_txn* txn);

  bool needs_fold() const { return overlay_->changes() > 0 || !ids_.empty(); }
  /// Brings the index up to date, if there is enough to do or always. When many records wait to be
  /// taken out, it takes several calls, each with a transaction of its own.
  void fold(bool always);
  bool takes_out() const { return !leaving_.empty(); }

  /// The overlay for a snapshot of this generation and batch; null if it is no longer kept.
  std::shared_ptr<const index_overlay> overlay(uint64_t generation, uint64_t batch) const;
  const lmdb_meta& full_meta() const { return meta_; }

  store_meta& meta() override { return meta_.common; }
  uint64_t stored_size(size_t subject, size_t headers, size_t payload) const override;
  void expect(std::string_view subject, std::string_view id, bool near) override;
  bool put_message(const stored_message& m) override;
  std::optional<stored_head> head(uint64_t seq) override;
  bool remove_message(uint64_t seq, std::string_view subject, int64_t expires_ns) override;
  void remove_all_messages() override;
  uint64_t first_at_or_after(uint64_t seq) override;
  std::optional<std::pair<int64_t, uint64_t>> first_ttl() override;
  uint64_t subject_msgs(std::string_view subject) override;
  uint64_t subject_first(std::string_view subject) override;
  uint64_t filter_last(std::string_view filter) override;
  uint64_t filter_msgs(std::string_view filter) override;
  std::vector<uint64_t> filter_next(std::string_view filter, uint64_t from,
                                    size_t at_most) override;
  std::vector<subject_count> subjects_after(std::string_view after, size_t at_most) override;
  uint64_t find_id(std::string_view id, int64_t after_ns) override;
  void add_id(std::string_view id, uint64_t seq, int64_t time_ns) override;
  bool expire_ids(int64_t up_to_ns, size_t at_most) override;
  void put_config(std::string_view blob) override;
  void put_consumer(std::string_view name, std::string_view row) override;
  bool remove_consumer(std::string_view name) override;

private:
  index_view view() const { return {txn_, databases_, *overlay_, UINT64_MAX, UINT64_MAX, false}; }
  subject_delta& delta_of(std::string_view subject);
  bool is_fold_due() const;
  bool seek_record(uint64_t seq, MDB_val& value);
  void remove_record(uint64_t seq);
  bool may_stay(uint64_t seq);
  void note_gone(uint64_t bytes);
  void forget_gone();
  bool take_out();
  void publish_overlay();
  void begin_overlay();

  lmdb_databases databases_;
  size_t changes_per_fold_;
  uint64_t gone_apart_;
  size_t taken_out_per_batch_;
  lmdb_meta meta_;
  lmdb_ids ids_;
  MDB_txn* txn_ = nullptr;
  unsigned expected_ = 0;
  lmdb_cursor messages_;
  lmdb_cursor ttl_;
  std::shared_ptr<index_overlay> overlay_;
  removal_rows removals_;
  uint64_t last_removed_ = 0;
  uint64_t gone_bytes_ = 0;             ///< of records that stay in place, roughly
  std::vector<uint64_t> leaving_;       ///< those that are being taken out: no others come to stay
  size_t left_ = 0;                     ///< so many of them have been
  mutable std::mutex published_mutex_;  ///< of the list, not of what is in it
  std::vector<std::shared_ptr<index_overlay>> published_;
};

}  // namespace vagus

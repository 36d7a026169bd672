#include "storage/lmdb_store_impl.hpp"

namespace vagus {

namespace {

/// False.
bool failed(store_error& error, store_errc code, uint64_t seq, const char* text = "") {
  error = {code, seq, text};
  return false;
}

/// Calls `f` and turns what it throws into a value.
template <class F>
auto guarded(F&& f) -> store_result<decltype(f())> {
  try {
    return f();
  } catch (const store_failure& failure) {
    return failure.error;
  }
}

class lmdb_snapshot : public store_snapshot {
public:
  lmdb_snapshot(lmdb_env& env, const lmdb_tables& rows, const std::string& stream)
      : databases_{env.databases()}, txn_{env} {
    std::string_view bytes;
    find_value(txn_.raw(), databases_.meta, "state", bytes);
    auto meta = decode_meta(bytes);
    if (!meta) throw store_failure{{store_errc::corrupt, 0, "the state row"}};
    meta_ = std::move(meta->common);
    meta_.stream = stream;
    overlay_ = rows.overlay(meta->generation, meta_.applied);
  }

  /// With an overlay read by this transaction.
  lmdb_snapshot(lmdb_env& env, const lmdb_store_options& options, const std::string& stream)
      : databases_{env.databases()}, txn_{env} {
    lmdb_tables rows{databases_, options};
    rows.load(txn_.raw());
    meta_ = rows.meta();
    meta_.stream = stream;
    overlay_ = rows.overlay(rows.full_meta().generation, meta_.applied);
  }

  /// False: the index has moved on since the transaction began.
  bool complete() const { return overlay_ != nullptr; }

  store_result<std::string> config() override {
    return guarded([&]() -> std::string {
      std::string_view bytes;
      if (!find_value(txn_.raw(), databases_.meta, "config", bytes)) return {};
      return std::string{unsealed(bytes, "the configuration")};
    });
  }

  bool find(uint64_t seq, stored_head& head, store_error& error) override {
    bool in_order = asked_ != 0 && seq == asked_ + 1;
    asked_ = seq;
    if (in_order) {  // likely to go on so
      if (!find_next(seq, head, error)) return false;
      return head.seq == seq || failed(error, store_errc::no_message, seq);
    }
    try {
      std::string_view bytes;
      if (gone(seq) || !find_value(txn_.raw(), databases_.messages, to_val(seq), bytes))
        return failed(error, store_errc::no_message, seq);
      return read_record(bytes, seq, head) || failed(error, store_errc::corrupt, seq, "message");
    } catch (const store_failure& failure) {
      error = failure.error;
      return false;
    }
  }

  bool find_next(uint64_t seq, stored_head& head, store_error& error) override {
    try {
      if (!walk_) walk_.emplace(txn_.raw(), databases_.messages);
      MDB_val value;
      MDB_val key;
      bool goes_on = walked_ != 0 && seq == walked_ + 1;
      walked_ = 0;
      bool found = goes_on && walk_->move(key, value, MDB_NEXT);
      if (!found) {
        key = to_val(seq);
        found = walk_->move(key, value, MDB_SET_RANGE);
      }
      found = found && pass_gone(*walk_, key, value, MDB_NEXT);
      if (!found) return failed(error, store_errc::no_message, seq);
      auto at = seq_from(key, seq);
      if (!read_record(to_view(value), at, head))
        return failed(error, store_errc::corrupt, at, "message");
      walked_ = at;
      return true;
    } catch (const store_failure& failure) {
      error = failure.error;
      return false;
    }
  }

  store_result<uint64_t> first_at_or_after(uint64_t seq) override {
    return guarded([&]() -> uint64_t {
      lmdb_cursor messages{txn_.raw(), databases_.messages};
      auto key = to_val(seq);
      MDB_val value;
      bool found =
          messages.move(key, value, MDB_SET_RANGE) && pass_gone(messages, key, value, MDB_NEXT);
      return found ? seq_from(key, seq) : 0;
    });
  }

  store_result<std::vector<uint64_t>> next(std::string_view filter, uint64_t from,
                                           size_t at_most) override {
    return guarded([&] { return view().filter_next(filter, from, at_most); });
  }

  store_result<uint64_t> last(std::string_view filter) override {
    return guarded([&] { return takes_all(filter) ? last_of_all() : view().filter_last(filter); });
  }

  store_result<uint64_t> count(std::string_view filter, uint64_t from) override {
    return guarded([&] {
      if (takes_all(filter) && from <= meta_.state.first_seq) return meta_.state.msgs;
      if (takes_all(filter) && meta_.state.num_deleted() == 0)
        return from > meta_.state.last_seq ? uint64_t{0} : meta_.state.last_seq + 1 - from;
      return view().filter_count(filter, from);
    });
  }

  store_result<std::vector<subject_count>> subjects(std::string_view filter, std::string_view after,
                                                    size_t at_most) override {
    return guarded([&] { return view().subjects(filter, after, at_most); });
  }

  store_result<std::vector<uint64_t>> last_per_subject(std::string_view filter,
                                                       uint64_t up_to) override {
    return guarded([&] { return view().last_per_subject(filter, up_to); });
  }

  store_result<std::optional<std::string>> consumer(std::string_view name) override {
    return guarded([&]() -> std::optional<std::string> {
      std::string_view bytes;
      if (!find_value(txn_.raw(), databases_.consumers, name, bytes)) return std::nullopt;
      return std::string{unsealed(bytes, "a consumer's row")};
    });
  }

  store_result<std::vector<std::string>> consumers(std::string_view after,
                                                   size_t at_most) override {
    return guarded([&] {
      std::vector<std::string> names;
      lmdb_cursor rows{txn_.raw(), databases_.consumers};
      auto key = to_val(after);
      MDB_val value;
      for (bool more = rows.move(key, value, after.empty() ? MDB_FIRST : MDB_SET_RANGE);
           more && names.size() < at_most; more = rows.move(key, value, MDB_NEXT))
        if (to_view(key) != after) names.emplace_back(to_view(key));
      return names;
    });
  }

private:
  bool gone(uint64_t seq) const { return overlay_->gone().has(seq, meta_.applied); }
  bool pass_gone(const lmdb_cursor& messages, MDB_val& key, MDB_val& value,
                 MDB_cursor_op on) const {
    return vagus::pass_gone(messages, key, value, on, overlay_->gone(), meta_.applied);
  }

  index_view view() const {
    return {txn_.raw(), databases_, *overlay_, meta_.applied, meta_.state.last_seq, true};
  }

  uint64_t last_of_all() {
    lmdb_cursor messages{txn_.raw(), databases_.messages};
    MDB_val key, value;
    bool found = messages.move(key, value, MDB_LAST) && pass_gone(messages, key, value, MDB_PREV);
    return found ? seq_of(key) : 0;
  }

  static std::string_view unsealed(std::string_view bytes, const char* what) {
    auto body = read_sealed(bytes);
    if (!body) throw store_failure{{store_errc::corrupt, 0, what}};
    return *body;
  }

  const lmdb_databases& databases_;
  lmdb_read txn_;
  std::optional<lmdb_cursor> walk_;  ///< ends before the transaction
  uint64_t walked_ = 0;              ///< where it stands; 0: nowhere
  uint64_t asked_ = 0;               ///< by `head`, last
  std::shared_ptr<const index_overlay> overlay_;
};

}  // namespace

std::unique_ptr<store_snapshot> make_snapshot_alone(lmdb_env& env,
                                                    const lmdb_store_options& options,
                                                    const std::string& stream) {
  return std::make_unique<lmdb_snapshot>(env, options, stream);
}

std::unique_ptr<store_snapshot> make_snapshot(lmdb_env& env, const lmdb_tables& rows,
                                              const std::string& stream) {
  constexpr int most_tries = 1000;  // the index cannot move on that often between two calls
  for (int tries = 0; tries < most_tries; ++tries) {
    auto snapshot = std::make_unique<lmdb_snapshot>(env, rows, stream);
    if (snapshot->complete()) return snapshot;
  }
  throw store_failure{{store_errc::corrupt, 0, "the state row is of another time"}};
}

}  // namespace vagus

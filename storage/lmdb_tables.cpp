#include "storage/lmdb_tables.hpp"

#include "storage/bytes.hpp"
#include "storage/checksum.hpp"
#include "storage/lmdb_fold.hpp"
#include "storage/lmdb_pages.hpp"
#include "storage/packing.hpp"

#include <algorithm>

namespace vagus {

namespace {

/// Of an overlay: bringing the index up to date costs by the subject, and is one batch's delay.
constexpr size_t subjects_per_fold = 65'536;
constexpr size_t bytes_per_fold = 48u << 20;

/// Records of removed messages that stay in place (gone_set.cpp).
constexpr uint64_t largest_with_gone = uint64_t{2} << 30;  ///< bytes of a stream that has such
constexpr uint64_t least_gone_bytes = 4u << 20;
constexpr uint64_t most_gone_bytes = 64u << 20;

std::string ttl_key(int64_t expires_ns, uint64_t seq) {
  std::string key;
  append_be64(key, static_cast<uint64_t>(expires_ns));
  append_be64(key, seq);
  return key;
}

}  // namespace

void lmdb_tables::load(MDB_txn* txn) {
  std::string_view bytes;
  if (!find_value(txn, databases_.meta, "state", bytes))
    throw store_failure{{store_errc::not_a_store, 0, "there is no state row"}};
  auto meta = decode_meta(bytes);
  if (!meta) throw store_failure{{store_errc::corrupt, 0, "the state row"}};
  meta->common.stream = meta_.common.stream;
  meta_ = std::move(*meta);
  removals_.forget();
  forget_gone();
  struct guard {
    lmdb_tables& rows;
    ~guard() { rows.abandon(); }
  } closing{*this};
  begin(txn);
  overlay_ = std::make_shared<index_overlay>(meta_.generation, meta_.common.applied);
  MDB_val key, value;
  auto from = meta_.indexed_up_to + 1;
  key = to_val(from);
  for (bool more = messages_.move(key, value, MDB_SET_RANGE); more;
       more = messages_.move(key, value, MDB_NEXT)) {
    auto seq = seq_of(key);
    auto m = read_record(to_view(value), seq);
    if (!m) throw store_failure{{store_errc::corrupt, seq, "message"}};
    overlay_->add(delta_of(m->subject), seq);
  }
  for_each_removal(
      txn, databases_,
      [&](std::string_view subject, uint64_t seq) {
        overlay_->remove(delta_of(subject), seq, 0);
        overlay_->leave_record(seq, 0);
        note_gone(0);
      },
      [](uint64_t row) {
        throw store_failure{{store_errc::corrupt, row, "removed row"}};
      });
  ids_.load(txn);
  publish_overlay();
}

void lmdb_tables::begin(MDB_txn* txn, bool first) {
  txn_ = txn;
  messages_ = lmdb_cursor{txn, databases_.messages};
  ttl_ = lmdb_cursor{txn, databases_.ttl};
  ids_.begin(txn);
  if (!first) return;
  // The last commit's is the last one. A reader who began before that commit and asks only now for
  // its overlay has to begin anew.
  std::lock_guard lock{published_mutex_};
  if (published_.size() > 1) published_.erase(published_.begin(), published_.end() - 1);
}

void lmdb_tables::abandon() {
  if (overlay_) overlay_->release();
  messages_ = lmdb_cursor{};
  ttl_ = lmdb_cursor{};
  ids_.end();
  txn_ = nullptr;
}

void lmdb_tables::finish() {
  auto bytes = encode(meta_);
  put_value(txn_, databases_.meta, to_val("state"), bytes);
  abandon();
}

void lmdb_tables::settle(MDB_txn* txn) {
  removals_.settle(txn, databases_);
}

void lmdb_tables::begin_overlay() {
  overlay_->release();
  overlay_ = std::make_shared<index_overlay>(meta_.generation, meta_.common.applied);
  publish_overlay();
}

void lmdb_tables::publish_overlay() {
  std::lock_guard lock{published_mutex_};
  published_.push_back(overlay_);
}

std::shared_ptr<const index_overlay> lmdb_tables::overlay(uint64_t generation,
                                                          uint64_t batch) const {
  std::lock_guard lock{published_mutex_};
  for (auto at = published_.rbegin(); at != published_.rend(); ++at)
    if ((*at)->serves(generation, batch)) return *at;
  return nullptr;
}

bool lmdb_tables::is_fold_due() const {
  auto share = std::clamp(meta_.common.state.bytes / 4, least_gone_bytes, most_gone_bytes);
  return overlay_->changes() >= changes_per_fold_ ||
         overlay_->deltas().size() >= subjects_per_fold || overlay_->bytes() >= bytes_per_fold ||
         gone_bytes_ >= share || overlay_->gone().crowded();
}

void lmdb_tables::fold(bool always) {
  bool wanted = takes_out() || is_fold_due() || (always && overlay_->changes() > 0);
  if (wanted && take_out()) {
    fold_index(txn_, databases_, *overlay_, meta_);
    removals_.forget();
    forget_gone();
    begin_overlay();
  }
  if (ids_.should_fold() || (always && !ids_.empty())) ids_.fold(txn_);
}

uint64_t lmdb_tables::stored_size(size_t subject, size_t headers, size_t payload) const {
  return counted_size(subject, headers, payload);
}

subject_delta& lmdb_tables::delta_of(std::string_view subject) {
  if (auto* delta = overlay_->find(subject)) return *delta;
  auto key = subject_key(subject);
  auto row = view().row_of(key);
  return overlay_->make(subject, std::move(key), row ? row->count : 0);
}

void lmdb_tables::expect(std::string_view subject, std::string_view id, bool near) {
  overlay_->prefetch(subject, near);
  if (near && ++expected_ % 32 == 0) overlay_->release();
  if (!id.empty() && !near) ids_.prefetch(id);
}

bool lmdb_tables::put_message(const stored_message& m) {
  auto packed = meta_.common.limits.compress ? pack_body(m.headers, m.payload) : packed_body{};
  auto* place = messages_.append(to_val(m.seq), record_size(m, packed.bytes()));
  write_record(place, m, packed.bytes());
  if (m.expires_ns > 0) {
    auto ttl = ttl_key(m.expires_ns, m.seq);
    put_value(txn_, databases_.ttl, to_val(ttl), {});
  }
  auto& delta = delta_of(m.subject);
  bool first = delta.live() == 0;
  overlay_->add(delta, m.seq);
  return first;
}

std::optional<stored_head> lmdb_tables::head(uint64_t seq) {
  auto key = to_val(seq);
  MDB_val value;
  if (overlay_->gone().has(seq, UINT64_MAX) || !messages_.move(key, value, MDB_SET))
    return std::nullopt;
  auto m = read_record(to_view(value), seq);
  if (!m) throw store_failure{{store_errc::corrupt, seq, "message"}};
  return m;
}

/// The cursor is there mostly, as the message was read.
bool lmdb_tables::seek_record(uint64_t seq, MDB_val& value) {
  MDB_val key;
  if (messages_.stands(key, value) && seq_of(key) == seq) return true;
  key = to_val(seq);
  return messages_.move(key, value, MDB_SET);
}

void lmdb_tables::remove_record(uint64_t seq) {
  MDB_val value;
  if (!seek_record(seq, value)) return;
  if (may_stay(seq)) {
    overlay_->leave_record(seq, meta_.common.applied);
    note_gone(value.mv_size);
  } else {
    messages_.remove();
  }
}

/// What the index on the disk does not know leaves no row of removals, and cannot stay.
bool lmdb_tables::may_stay(uint64_t seq) {
  auto before = std::exchange(last_removed_, seq);
  auto distance = seq > before ? seq - before : before - seq;
  const auto& state = meta_.common.state;
  return seq <= meta_.indexed_up_to && seq != state.first_seq && distance >= gone_apart_ &&
         state.bytes <= largest_with_gone && leaving_.empty();
}

void lmdb_tables::note_gone(uint64_t bytes) {
  const auto& state = meta_.common.state;
  gone_bytes_ += bytes > 0 ? bytes : state.bytes / std::max<uint64_t>(state.msgs, 1);
}

void lmdb_tables::forget_gone() {
  gone_bytes_ = 0;
  leaving_.clear();
  left_ = 0;
}

/// Some of what is gone. True: nothing of it is left.
bool lmdb_tables::take_out() {
  if (leaving_.empty()) leaving_ = overlay_->gone().sequences();
  auto end = left_ + std::min(taken_out_per_batch_, leaving_.size() - left_);
  for (MDB_val key, value; left_ < end; ++left_) {
    key = to_val(leaving_[left_]);
    if (messages_.move(key, value, MDB_SET)) messages_.remove();
  }
  return left_ == leaving_.size();
}

bool lmdb_tables::remove_message(uint64_t seq, std::string_view subject, int64_t expires_ns) {
  auto& delta = delta_of(subject);
  remove_record(seq);
  if (expires_ns > 0) {
    auto ttl = ttl_key(expires_ns, seq);
    remove_key(txn_, databases_.ttl, to_val(ttl));
  }
  if (seq <= meta_.indexed_up_to) removals_.note(txn_, databases_, subject, seq);
  overlay_->remove(delta, seq, meta_.common.applied);
  return delta.live() == 0;
}

void lmdb_tables::remove_all_messages() {
  for (auto database : {databases_.messages, databases_.subjects, databases_.blocks, databases_.ttl,
                        databases_.removed, databases_.removals})
    check_lmdb(lmdb_clear(txn_, database), "purge");
  removals_.forget();
  forget_gone();
  meta_.indexed_up_to = meta_.common.state.last_seq;
  ++meta_.generation;
  begin_overlay();
  auto* txn = txn_;
  abandon();
  begin(txn, false);
}

uint64_t lmdb_tables::first_at_or_after(uint64_t seq) {
  auto key = to_val(seq);
  MDB_val value;
  bool found = messages_.move(key, value, MDB_SET_RANGE) &&
               pass_gone(messages_, key, value, MDB_NEXT, overlay_->gone(), UINT64_MAX);
  return found ? seq_from(key, seq) : 0;
}

std::optional<std::pair<int64_t, uint64_t>> lmdb_tables::first_ttl() {
  MDB_val key, value;
  if (!ttl_.move(key, value, MDB_FIRST)) return std::nullopt;
  auto* bytes = key_of(key, 16).data();
  return std::pair{static_cast<int64_t>(load_be64(bytes)), load_be64(bytes + 8)};
}

uint64_t lmdb_tables::subject_msgs(std::string_view subject) {
  return delta_of(subject).live();
}

uint64_t lmdb_tables::subject_first(std::string_view subject) {
  auto& delta = delta_of(subject);
  auto first = view().subject_next(subject, 0);
  overlay_->raise_floor(delta, first, meta_.common.applied);
  return first;
}

uint64_t lmdb_tables::filter_last(std::string_view filter) {
  return view().filter_last(filter);
}

uint64_t lmdb_tables::filter_msgs(std::string_view filter) {
  if (takes_all(filter)) return meta_.common.state.msgs;
  return view().filter_count(filter, 0);
}

std::vector<uint64_t> lmdb_tables::filter_next(std::string_view filter, uint64_t from,
                                               size_t at_most) {
  return view().filter_next(filter, from, at_most);
}

std::vector<subject_count> lmdb_tables::subjects_after(std::string_view after, size_t at_most) {
  return view().subjects({}, after, at_most);
}

uint64_t lmdb_tables::find_id(std::string_view id, int64_t after_ns) {
  return ids_.find(txn_, id, after_ns);
}

void lmdb_tables::add_id(std::string_view id, uint64_t seq, int64_t time_ns) {
  ids_.add(id, seq, time_ns);
}

bool lmdb_tables::expire_ids(int64_t up_to_ns, size_t at_most) {
  return ids_.expire(txn_, up_to_ns, at_most);
}

void lmdb_tables::put_config(std::string_view blob) {
  std::string row{blob};
  seal(row);
  put_value(txn_, databases_.meta, to_val("config"), row);
}

void lmdb_tables::put_consumer(std::string_view name, std::string_view row) {
  std::string bytes{row};
  seal(bytes);
  put_value(txn_, databases_.consumers, to_val(name), bytes);
}

bool lmdb_tables::remove_consumer(std::string_view name) {
  return remove_key(txn_, databases_.consumers, to_val(name));
}

}  // namespace vagus

#include "storage/lmdb_index.hpp"

#include <algorithm>
#include <queue>

namespace vagus {

namespace {

constexpr size_t scanned_first = 256;  // messages looked at before the index is asked

}  // namespace

bool index_view::exists(uint64_t seq) const {
  std::string_view ignored;
  return !overlay_.gone().has(seq, batch_) &&
         find_value(txn_, databases_.messages, to_val(seq), ignored);
}

std::optional<subject_row> index_view::row_of(std::string_view key) const {
  std::string_view bytes;
  if (!find_value(txn_, databases_.subjects, key, bytes)) return std::nullopt;
  auto row = decode_subject(bytes);
  if (!row)
    throw store_failure{{store_errc::corrupt, 0, "index row of subject " + std::string{key}}};
  return row;
}

uint64_t index_view::count_of(const entry& e) const {
  uint64_t count = e.row ? e.row->count : 0;
  if (!e.delta) return count;
  const auto& d = *e.delta;
  auto added = std::upper_bound(d.added.begin(), d.added.end(), last_seq_);
  auto removed = std::upper_bound(d.removed.begin(), d.removed.end(), batch_,
                                  [](uint64_t batch, const auto& r) { return batch < r.second; });
  return count + static_cast<uint64_t>(added - d.added.begin()) -
         static_cast<uint64_t>(removed - d.removed.begin());
}

uint64_t index_view::count_from(const entry& e, uint64_t from) const {
  if (from == 0 || (!e.delta && e.row->first >= from)) return count_of(e);
  uint64_t count = e.row ? block_walk{txn_, databases_, *e.row}.count_from(from) : 0;
  if (!e.delta) return count;
  for (auto at = std::lower_bound(e.delta->added.begin(), e.delta->added.end(), from);
       at != e.delta->added.end() && *at <= last_seq_; ++at)
    ++count;
  for (auto [seq, batch] : e.delta->removed) {
    if (batch > batch_) break;
    count -= seq >= from;
  }
  return count;
}

uint64_t index_view::next_of(const entry& e, uint64_t from) const {
  if (e.delta && e.delta->floor_batch <= batch_) from = std::max(from, e.delta->floor);
  if (e.row && from <= e.row->last) {
    block_walk blocks{txn_, databases_, *e.row};
    for (blocks.seek(from); blocks.valid(); blocks.next())
      if (exists(blocks.seq())) return blocks.seq();
  }
  if (!e.delta) return 0;
  const auto& added = e.delta->added;
  for (auto at = std::lower_bound(added.begin(), added.end(), from);
       at != added.end() && *at <= last_seq_; ++at)
    if (exists(*at)) return *at;
  return 0;
}

uint64_t index_view::last_of(const entry& e, uint64_t up_to) const {
  up_to = std::min(up_to, last_seq_);
  if (e.delta) {
    const auto& added = e.delta->added;
    for (auto at = std::upper_bound(added.begin(), added.end(), up_to); at != added.begin();)
      if (exists(*--at)) return *at;
  }
  if (!e.row || up_to < e.row->first) return 0;
  block_walk blocks{txn_, databases_, *e.row};
  for (blocks.seek_back(up_to); blocks.valid(); blocks.previous())
    if (exists(blocks.seq())) return blocks.seq();
  return 0;
}

/// No message of the subject is above it.
uint64_t index_view::highest_of(const entry& e) const {
  if (e.delta && !e.delta->added.empty()) return e.delta->added.back();
  return e.row ? e.row->last : 0;
}

void index_view::collect(const entry& e, uint64_t from, size_t at_most,
                         std::vector<uint64_t>& found) const {
  if (e.delta && e.delta->floor_batch <= batch_) from = std::max(from, e.delta->floor);
  size_t taken = 0;
  if (e.row && from <= e.row->last) {
    block_walk blocks{txn_, databases_, *e.row};
    for (blocks.seek(from); blocks.valid() && taken < at_most; blocks.next())
      if (exists(blocks.seq())) found.push_back(blocks.seq()), ++taken;
  }
  if (!e.delta) return;
  const auto& added = e.delta->added;
  for (auto at = std::lower_bound(added.begin(), added.end(), from);
       at != added.end() && *at <= last_seq_ && taken < at_most; ++at)
    if (exists(*at)) found.push_back(*at), ++taken;
}

uint64_t index_view::subject_msgs(std::string_view subject) const {
  return filter_count(subject, 0);
}

uint64_t index_view::subject_next(std::string_view subject, uint64_t from) const {
  uint64_t seq = 0;
  visit_one(subject, [&](const entry& e) {
    seq = next_of(e, from);
    return true;
  });
  return seq;
}

uint64_t index_view::filter_last(std::string_view filter) const {
  uint64_t last = 0;
  walk(filter, {}, [&](const entry& e) {
    if (highest_of(e) > last) last = std::max(last, last_of(e, UINT64_MAX));
    return true;
  });
  return last;
}

uint64_t index_view::filter_count(std::string_view filter, uint64_t from) const {
  uint64_t count = 0;
  walk(filter, {}, [&](const entry& e) {
    count += count_from(e, from);
    return true;
  });
  return count;
}

bool index_view::scan(std::string_view filter, uint64_t& from, size_t at_most,
                      std::vector<uint64_t>& found) const {
  lmdb_cursor messages{txn_, databases_.messages};
  auto key = to_val(from);
  MDB_val value;
  size_t scanned = 0;
  bool all = takes_all(filter);
  for (bool more = messages.move(key, value, MDB_SET_RANGE); more;
       more = messages.move(key, value, MDB_NEXT)) {
    if (!pass_gone(messages, key, value, MDB_NEXT, overlay_.gone(), batch_)) break;
    if (found.size() == at_most || (scanned++ == scanned_first && !all)) return true;
    auto seq = seq_from(key, from);
    from = seq + 1;
    if (all) {
      found.push_back(seq);
      continue;
    }
    auto m = read_record(to_view(value), seq);
    if (!m) throw store_failure{{store_errc::corrupt, seq, "message"}};
    if (filter_matches(filter, m->subject)) found.push_back(seq);
  }
  return false;
}

std::vector<uint64_t> index_view::filter_next(std::string_view filter, uint64_t from,
                                              size_t at_most) const {
  std::vector<uint64_t> found;
  if (!takes_all(filter) && !has_wildcard(filter)) {
    visit_one(filter, [&](const entry& e) {
      collect(e, from, at_most, found);
      return true;
    });
    return found;
  }
  if (!scan(filter, from, at_most, found) || !found.empty()) return found;
  // Sparse: the smallest of what each matching subject has next. The heap's top is the largest
  // still wanted, so that a subject that has nothing below it costs one look at its first.
  std::priority_queue<uint64_t> nearest;
  std::vector<uint64_t> of_one;
  walk(filter, {}, [&](const entry& e) {
    bool full = nearest.size() == at_most;
    if (highest_of(e) < from ||
        (full && e.row && from <= e.row->first && e.row->first > nearest.top()))
      return true;
    of_one.clear();
    collect(e, from, at_most, of_one);
    for (auto seq : of_one) {
      if (nearest.size() == at_most) {
        if (seq > nearest.top()) break;
        nearest.pop();
      }
      nearest.push(seq);
    }
    return true;
  });
  found.resize(nearest.size());
  for (auto at = found.rbegin(); at != found.rend(); ++at, nearest.pop()) *at = nearest.top();
  return found;
}

std::vector<subject_count> index_view::subjects(std::string_view filter, std::string_view after,
                                                size_t at_most) const {
  std::vector<subject_count> found;
  walk(filter, after, [&](const entry& e) {
    if (found.size() == at_most) return false;
    if (auto count = count_of(e)) found.push_back({std::string{e.subject}, count});
    return true;
  });
  return found;
}

std::vector<uint64_t> index_view::last_per_subject(std::string_view filter, uint64_t up_to) const {
  std::vector<uint64_t> found;
  walk(filter, {}, [&](const entry& e) {
    if (auto seq = last_of(e, up_to == 0 ? UINT64_MAX : up_to)) found.push_back(seq);
    return true;
  });
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace vagus

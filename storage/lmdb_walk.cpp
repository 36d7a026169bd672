#include "storage/filter_prefix.hpp"
#include "storage/lmdb_index.hpp"

#include <shared_mutex>

namespace vagus {

namespace {

constexpr size_t subjects_per_lock = 256;

}  // namespace

void index_view::visit_one(std::string_view subject, const visitor& visit) const {
  std::shared_lock lock{overlay_.mutex(), std::defer_lock};
  if (locks_) lock.lock();
  auto row = row_of(subject_key(subject));
  auto* delta = overlay_.find(subject);
  if (row || delta) visit({subject, row ? &*row : nullptr, delta});
}

void index_view::walk(std::string_view filter, std::string_view after, const visitor& visit) const {
  if (!takes_all(filter) && !has_wildcard(filter)) {
    if (after.empty() || subject_key(after) < subject_key(filter)) visit_one(filter, visit);
    return;
  }
  auto prefix = takes_all(filter) ? std::string_view{} : literal_prefix(filter);
  prefix = prefix.substr(0, longest_plain_key);
  auto last_key = after.empty() ? std::string{} : subject_key(after);
  while (walk_chunk(filter, prefix, last_key, visit)) {
  }
}

/// Merges rows and deltas, both in the order of their keys. The overlay's lock is given up after
/// some subjects, so that the writer is not held up by a long walk.
bool index_view::walk_chunk(std::string_view filter, std::string_view prefix, std::string& after,
                            const visitor& visit) const {
  std::shared_lock lock{overlay_.mutex(), std::defer_lock};
  if (locks_) lock.lock();
  lmdb_cursor rows{txn_, databases_.subjects};
  bool fresh = after < prefix || after.empty();
  std::string_view start = fresh ? prefix : std::string_view{after};
  auto key = to_val(start);
  MDB_val value;
  bool row =
      start.empty() ? rows.move(key, value, MDB_FIRST) : rows.move(key, value, MDB_SET_RANGE);
  if (row && !fresh && to_view(key) == after) row = rows.move(key, value, MDB_NEXT);
  const auto& deltas = overlay_.deltas();
  auto delta = fresh ? deltas.lower_bound(start) : deltas.upper_bound(start);
  bool all = is_prefix(filter) && prefix.size() == filter.size() - 1;
  auto matches = [&](std::string_view subject) {
    return (all && subject.size() > prefix.size()) || filter_matches(filter, subject);
  };
  std::string_view current;
  for (size_t seen = 0; seen < subjects_per_lock; ++seen) {
    row = row && to_view(key).starts_with(prefix);
    bool has_delta = delta != deltas.end() && delta->first.starts_with(prefix);
    if (!row && !has_delta) return false;
    int order = !row ? 1 : !has_delta ? -1 : to_view(key).compare(delta->first);
    current = order <= 0 ? to_view(key) : std::string_view{delta->first};
    std::optional<subject_row> decoded;
    std::string_view subject = order >= 0 ? std::string_view{delta->second.subject} : current;
    bool is_long = current.size() > longest_plain_key;
    if (order <= 0 && (is_long || matches(subject))) {
      decoded = decode_subject(to_view(value));
      if (!decoded)
        throw store_failure{{store_errc::corrupt, 0, "index row of " + std::string{current}}};
      if (is_long) subject = decoded->long_name;
    }
    if (matches(subject))
      if (!visit({subject, decoded ? &*decoded : nullptr, order >= 0 ? &delta->second : nullptr}))
        return false;
    if (order <= 0) row = rows.move(key, value, MDB_NEXT);
    if (order >= 0) ++delta;
  }
  if (!after.empty() && current <= after)  // it would go round in circles
    throw store_failure{{store_errc::corrupt, 0, "the order of the subject index"}};
  after = current;
  return true;
}

}  // namespace vagus

#pragma once

#include "net/subject.hpp"
#include "storage/gone_set.hpp"

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// What happened to one subject since the index on the disk was brought up to date.
struct subject_delta {
  std::string subject;
  uint64_t base_count = 0;                            ///< messages that the index on the disk knows
  boost::container::small_vector<uint64_t, 4> added;  ///< sequences above the mark, ascending
  /// Sequences removed and the number of the batch that did it, in that order.
  std::vector<std::pair<uint64_t, uint64_t>> removed;
  uint64_t floor = 0;        ///< all below is removed ...
  uint64_t floor_batch = 0;  ///< ... for who sees this batch

  uint64_t live() const { return base_count + added.size() - removed.size(); }
};

/// The part of the index that is not on the disk yet.
///
/// A message must not cost a change in an index on the disk: with many subjects every such change
/// is a page of its own. So the changes are collected here, and brought to the disk in one sorted
/// run when there are enough of them (lmdb_fold). After a crash they are read again from the
/// messages above the mark and from the rows of removals: nothing here is the only copy.
///
/// The writer changes an overlay while readers look at it, under `mutex`. A reader sees the state
/// of its own snapshot all the same: it leaves out what was added above its last sequence or
/// removed by a batch above its own. An overlay belongs to one generation of the index; when the
/// index is brought up to date, a new one begins, and this one no longer changes.
class index_overlay {
public:
  using delta_map = std::map<std::string, subject_delta, std::less<>>;

  /// `since`: the batch from which on it knows what was removed when.
  index_overlay(uint64_t generation, uint64_t since) : generation_{generation}, since_{since} {}

  /// True if a snapshot with these can use it.
  bool serves(uint64_t generation, uint64_t batch) const {
    return generation == generation_ && batch >= since_;
  }
  std::shared_mutex& mutex() const { return mutex_; }

  const subject_delta* find(std::string_view subject) const { return find_slot(subject); }

  /// By key, in order.
  const delta_map& deltas() const { return deltas_; }

  /// Has memory at hand for `find`; `near` what the slot points to as well.
  void prefetch(std::string_view subject, bool near) const;

  // What follows is the writer's. Each change takes the lock and keeps it until `release`, so that
  // a run of changes costs one.

  void release();

  subject_delta* find(std::string_view subject) { return find_slot(subject); }
  subject_delta& make(std::string_view subject, std::string key, uint64_t base_count);
  void add(subject_delta& delta, uint64_t seq);
  void remove(subject_delta& delta, uint64_t seq, uint64_t batch);
  void raise_floor(subject_delta& delta, uint64_t floor, uint64_t batch);

  /// Messages removed since whose records are still there. Needs no lock.
  const gone_set& gone() const { return gone_; }
  void leave_record(uint64_t seq, uint64_t batch);

  /// Roughly what it holds; when it is large it is time to bring the index up to date.
  size_t changes() const { return changes_; }
  size_t bytes() const { return bytes_; }

private:
  using slot = std::pair<uint64_t, subject_delta*>;

  subject_delta* find_slot(std::string_view subject) const;
  void add_slot(uint64_t hash, subject_delta* delta);

  void hold();

  uint64_t generation_;
  uint64_t since_;
  bool held_ = false;
  mutable std::shared_mutex mutex_;
  delta_map deltas_;
  std::vector<slot> slots_;  ///< open addressing by the subject's hash
  gone_set gone_;
  size_t changes_ = 0;
  size_t bytes_ = 0;
};

}  // namespace vagus

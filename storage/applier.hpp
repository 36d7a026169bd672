#pragma once

#include "storage/apply.hpp"
#include "storage/delete_marker.hpp"

namespace vagus {

/// `time_ns + duration_ns`, or the end of time.
inline int64_t later(int64_t time_ns, int64_t duration_ns) {
  int64_t sum;
  return __builtin_add_overflow(time_ns, duration_ns, &sum) ? INT64_MAX : sum;
}

/// One run of `apply_batch`.
class applier {
public:
  applier(tables& rows, int64_t time_ns, uint64_t budget, std::vector<removed_message>* report,
          std::vector<stored_marker>& markers)
      : rows_{rows},
        meta_{rows.meta()},
        time_ns_{time_ns},
        budget_{budget},
        report_{report},
        markers_{markers} {}

  outcome operator()(const store_proposal& p);
  outcome operator()(const delete_proposal& p);
  outcome operator()(const purge_proposal& p);
  outcome operator()(const expire_proposal& p);
  outcome operator()(const configure_proposal& p);
  outcome operator()(const consumer_put_proposal& p);
  outcome operator()(const consumer_delete_proposal& p);
  outcome operator()(const restore_proposal& p);

  /// What every batch does at its end: limits, unfinished rollups, old ids. True if more is left.
  bool finish(size_t proposals);
  int64_t next_expiry();
  bool has_gaps() const { return has_gaps_; }

private:
  /// The highest sequence stays free, so that one more than the last is always a number.
  bool above_all(uint64_t seq) const { return seq > meta_.state.last_seq && seq != UINT64_MAX; }
  int64_t own_time(int64_t time_ns) const;
  void note_id(std::string_view id, uint64_t seq, int64_t time_ns);
  void note_own_id(std::string_view id, uint64_t seq, int64_t time_ns);
  uint64_t take_place(uint64_t seq);
  outcome check(const store_proposal& p);
  store_errc check_space(const store_proposal& p, uint64_t size);
  uint64_t size_of(uint64_t seq);
  void put(const stored_message& m, uint64_t size);
  void roll_up(const store_proposal& p);
  void enforce_subject_limit(std::string_view subject);
  void enforce_limits();
  void sweep_subjects();
  void finish_purges();

  /// Removes a message that is there, and uses up one of the budget.
  void remove(const stored_head& m, removal why);
  static bool is_marker(const stored_head& m);
  void remove(uint64_t seq, removal why);
  /// Removes matching messages below `up_to`; false if the budget ended first.
  bool remove_matching(std::string_view filter, uint64_t up_to, uint64_t at_most, removal why,
                       uint64_t& removed);
  void purge_all(uint64_t first_seq);
  void put_marker(std::string_view subject, uint64_t previous);
  bool expire_by_age(uint64_t& removed);
  bool expire_by_ttl(uint64_t& removed);

  tables& rows_;
  store_meta& meta_;
  int64_t time_ns_;
  uint64_t budget_;
  bool has_gaps_ = false;
  std::vector<removed_message>* report_;
  std::vector<stored_marker>& markers_;
};

}  // namespace vagus

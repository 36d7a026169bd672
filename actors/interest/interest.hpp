#pragma once

#include "actors/interest/match.hpp"
#include "actors/interest/rcu_table.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace vagus {

/// Who is interested in which subject, for one account. One writer (the subject_space actor), any
/// number of readers on event loops, which take no lock and never wait.
///
/// Literal subjects are in a hash table of 256 parts, so that growing one part costs microseconds
/// with a million subscriptions; patterns with wildcards are in a trie by token. Changes happen in
/// place; what they replace is freed after the readers of that moment are gone (liburcu).
///
/// Readers may keep what a walk found as long as its `stamp` holds. A change only ends the stamps
/// of subjects near it: those with its very hash if it is literal, else those with its first two
/// literal tokens, or its first; only patterns that start with a wildcard end all stamps.
class interest {
public:
  interest();
  ~interest();
  interest(const interest&) = delete;
  interest& operator=(const interest&) = delete;

  // ---- the writer ----

  struct subscription_key {
    endpoint* destination;
    uint32_t slot;
    std::string_view subject;  ///< valid (see valid_subject)
    std::string_view queue;    ///< empty: none
  };

  void subscribe(const subscription_key& key, uint32_t generation, std::string_view sid);
  /// False if there is no such subscription.
  bool unsubscribe(const subscription_key& key);

  // ---- readers, inside a snapshot_guard ----

  /// What decides whether an earlier walk of a subject is still true.
  struct stamp {
    uint32_t whole = 0;  ///< index of the counter for the subject's hash
    uint32_t two = 0;    ///< for its first two tokens
    uint32_t one = 0;    ///< for its first token
    uint64_t sum = 0;    ///< of those counters and the one for all subjects
  };

  /// Take the stamp before the walk.
  stamp take_stamp(std::string_view subject, uint64_t hash) const;
  bool holds(const stamp& s) const { return sum_of(s) == s.sum; }

  /// Counts every change; while it has not moved, every stamp holds.
  uint64_t changes() const { return changes_.load(std::memory_order_acquire); }

  /// Finds everyone that `subject`, taken literally, reaches. Subjects with an empty token reach
  /// nobody.
  void match(std::string_view subject, uint64_t hash, match_result& into) const;

  /// Whether somebody is subscribed to that very subject in that queue group, or in none if `queue`
  /// is empty.
  bool is_bound(std::string_view subject, std::string_view queue) const;

  // ---- counters, for monitoring ----
  struct statistics {
    std::atomic<uint64_t> subscriptions{0};
    std::atomic<uint64_t> inserts{0};
    std::atomic<uint64_t> removes{0};
  };
  const statistics& stats() const { return stats_; }

  static uint64_t hash_of(std::string_view subject);

private:
  struct node;
  struct literal_node;
  struct trie_node;
  struct queue_group;
  struct queue_groups;

  static constexpr size_t parts = 256;
  static constexpr size_t whole_counters = 1 << 14;
  static constexpr size_t prefix_counters = 1 << 12;

  uint64_t sum_of(const stamp& s) const;
  void end_stamps(std::string_view pattern, bool wildcard);
  static void collect(const node& at, match_result& into);
  void match_trie(const trie_node& at, std::string_view rest, match_result& into) const;

  node& node_for(std::string_view pattern, bool wildcard);
  node* find_node(std::string_view pattern, bool wildcard);
  void prune(std::string_view pattern, bool wildcard);
  bool prune_trie(trie_node& at, std::string_view rest);
  void add_queue_member(node& at, const subscription_key& key, uint32_t generation,
                        std::string_view sid);
  bool remove_queue_member(node& at, const subscription_key& key);
  uint32_t queue_id(std::string_view queue);

  std::array<rcu_table<literal_node>, parts> literals_;
  std::unique_ptr<trie_node> root_;

  /// Names of queue groups, by use. Ids are never used twice.
  struct queue_name {
    uint32_t id;
    uint64_t uses;
  };
  std::unordered_map<std::string, queue_name> queue_names_;
  uint32_t last_queue_id_ = 0;

  std::atomic<uint64_t> changes_{0};
  std::atomic<uint64_t> any_{0};
  std::unique_ptr<std::atomic<uint64_t>[]> whole_;
  std::unique_ptr<std::atomic<uint64_t>[]> two_;
  std::unique_ptr<std::atomic<uint64_t>[]> one_;
  statistics stats_;
};

}  // namespace vagus

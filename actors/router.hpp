#pragma once

#include "actors/endpoint.hpp"
#include "actors/interest/interest.hpp"
#include "net/protocol/frame_batch.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

class event_loop;

/// What one event loop needs to route the messages of one account: a bounded cache over the
/// interest snapshots, and the open batches of the read at hand. Used by its loop's thread only.
class router {
public:
  /// @param from the interest of the account; must outlive the router
  router(const interest& from, size_t loop_index);
  ~router();

  /// A destination that was given more than it should have waiting.
  struct pressure {
    endpoint* destination;
    int64_t pending;
  };

  /// Appends `message` to the batch of everyone it reaches. Inside a snapshot_guard that lasts
  /// until the following flush. Returns how many it was handed to.
  /// @param self the publisher: gets its own messages only if it wants them (`echo`)
  size_t publish(const message_view& message, const endpoint* self);

  /// The same, to those that `to` reaches, whatever the message's own subject is.
  size_t deliver_to(std::string_view to, const message_view& message);

  /// Hands `message` to another member of queue group `queue`, because one that was chosen is gone.
  size_t republish(const message_view& message, uint32_t queue);

  /// True if `subject` reaches anyone. Inside a snapshot_guard.
  bool reaches(std::string_view subject) { return !lookup(subject).empty(); }

  /// True if somebody is subscribed to `subject` by its own name, and in that queue group: in none
  /// if it is empty. Inside a snapshot_guard.
  bool is_bound(std::string_view subject, std::string_view queue) const {
    return interest_.is_bound(subject, queue);
  }

  /// The sid under which `self` is subscribed to something that `subject` reaches; empty if none.
  std::string_view own_sid(std::string_view subject, const endpoint* self);

  /// Sends what publish has collected, one message per destination, and lists the destinations
  /// whose pending bytes are beyond `high_water`. What is for `self` is returned instead of sent.
  frame_batch_ptr flush(const endpoint* self, event_loop& loop, int64_t high_water,
                        std::vector<pressure>& over);

  struct statistics {
    std::atomic<uint64_t> matches{0};
    std::atomic<uint64_t> cache_hits{0};
    std::atomic<uint64_t> cached{0};
    std::atomic<uint64_t> fanout{0};  ///< subscriptions found by all matches
    std::atomic<uint64_t> max_fanout{0};
  };
  const statistics& stats() const { return stats_; }

  static constexpr size_t cache_ways = 4;
  static constexpr size_t cache_sets = 4096;

private:
  struct entry;

  const match_result& lookup(std::string_view subject);
  entry& find_or_fill(std::string_view subject, uint64_t hash);
  const subscriber* local_member(const queue_match& group);
  size_t deliver_all(const match_result& result, const message_view& message, const endpoint* self);
  size_t deliver_instead(const match_result& found, const message_view& message);
  const subscriber* choose(const queue_match& group, const endpoint* self);
  bool deliver(const message_view& message, const subscriber& to, const endpoint* self,
               uint32_t queue);
  uint64_t random();

  const interest& interest_;
  size_t loop_index_;
  struct cache_set;
  std::vector<cache_set> cache_;
  entry* last_ = nullptr;  ///< the entry of the previous lookup
  match_result passing_;   ///< of a subject that is not worth a place in the cache
  std::string passing_subject_;
  uint64_t passing_changes_ = 0;  ///< of the interest, as in `entry`
  std::vector<endpoint*> touched_;
  uint64_t random_state_;
  statistics stats_;
};

}  // namespace vagus

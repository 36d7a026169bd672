#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace vagus {

/// A delivered message that is not acknowledged.
struct pending_ack {
  uint64_t stream_seq = 0;
  uint64_t consumer_seq = 0;  ///< of its first delivery
  int64_t when = 0;           ///< the deadline; where it is queued, its place in the queue
  uint32_t deliveries = 0;    ///< 0 if its only delivery reached nobody
  bool queued = false;        ///< waits for another delivery
  bool gone = false;          ///< in the table: no longer there

  bool operator==(const pending_ack&) const = default;
};

/// The pending acknowledgements of one consumer in the order of the stream, with the queue of those
/// that are to be delivered again and the deadlines of the others. Sequences are only added behind
/// the last one. All operations take O(log n), or constant time where sequences are dense; memory
/// is in proportion to what is pending, and nothing at all where nothing ever was.
class pending_table {
public:
  size_t size() const { return entries_.size() - head_ - dead_; }
  bool empty() const { return size() == 0; }
  size_t queued() const { return queued_; }
  /// How many have been delivered more than once.
  size_t redelivered() const { return redelivered_; }

  const pending_ack* find(uint64_t seq) const;
  /// The one with the lowest sequence. Not if `empty()`.
  const pending_ack& first() const { return entries_[head_]; }

  void add(uint64_t seq, uint64_t consumer_seq, int64_t deadline);
  void erase(uint64_t seq);

  /// Puts it at the end of the queue.
  void queue(uint64_t seq);
  /// Out of the queue, if it is there, with a new deadline and so many deliveries.
  void await(uint64_t seq, int64_t deadline, uint32_t deliveries);
  /// What is to be delivered again next.
  std::optional<uint64_t> front();

  /// The earliest deadline of those that are not queued.
  std::optional<int64_t> next_deadline();
  /// Those whose deadlines have passed, by sequence. Each is then to be queued, erased or awaited
  /// anew: its old deadline is forgotten.
  std::vector<uint64_t> take_due(int64_t now);

  template <class F>
  void for_each(F f) const {
    for (size_t i = head_; i < entries_.size(); ++i)
      if (!entries_[i].gone) f(entries_[i]);
  }
  template <class F>
  void for_each_up_to(uint64_t seq, F f) const {
    for (size_t i = head_; i < entries_.size() && entries_[i].stream_seq <= seq; ++i)
      if (!entries_[i].gone) f(entries_[i]);
  }
  /// The queue in its order.
  std::vector<uint64_t> queue_order() const;

  /// Adds what was stored, with any number of deliveries.
  void restore(const pending_ack& entry);
  /// Changes the deadlines of those that are not queued.
  template <class F>
  void shift_deadlines(F by) {
    for (size_t i = head_; i < entries_.size(); ++i)
      if (auto& e = entries_[i]; !e.gone && !e.queued) e.when += by(e.deliveries);
    rebuild_deadlines();
  }

private:
  struct deadline {
    int64_t time;
    uint64_t seq;
    bool operator>(const deadline& other) const {
      return std::pair{time, seq} > std::pair{other.time, other.seq};
    }
  };

  pending_ack* mutable_find(uint64_t seq);
  void push_deadline(int64_t time, uint64_t seq);
  bool stale(const deadline& d) const;
  void drop_stale_deadlines();
  void rebuild_deadlines();
  void compact();
  void compact_queue();
  void leave_queue(pending_ack& entry);

  // Sorted; what is gone stays in place until half is gone, so that a dense run is found at once.
  std::vector<pending_ack> entries_;
  size_t head_ = 0;
  size_t dead_ = 0;  ///< behind `head_`
  size_t redelivered_ = 0;
  // In order; an element counts only if its entry says that this is its place.
  std::vector<uint64_t> queue_;
  size_t queue_head_ = 0;
  int64_t queue_base_ = 0;  ///< the place of the first element
  size_t queued_ = 0;
  // A heap; an element counts only if its entry has this deadline. Built anew when most do not.
  std::vector<deadline> deadlines_;
};

}  // namespace vagus

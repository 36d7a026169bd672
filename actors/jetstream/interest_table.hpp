#pragma once

#include "actors/jetstream/ledger_state.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vagus {

/// Which messages the consumers of a stream with retention `interest` still need. A message is
/// needed by a consumer whose filters let it through, which has not begun behind it, and which is
/// not done with it. What is not needed by any of them goes; what nobody wants is not stored.
///
/// The rules, as nats-server 2.15.1 has them:
///
///   published            a message that no consumer's filters take is not stored; its sequence is
///                        used up, and its Nats-Msg-Id is remembered. A work queue stores it.
///   +ACK, +NXT, +TERM    done. A work queue removes the message at once.
///   max_deliver reached  not done: the message stays, also when all the others are done with it,
///                        until a late +ACK, or until the consumer is deleted or wants something
///                        else. A work queue keeps it even then, for the next consumer.
///   ack policy none      done when it has been delivered; with the policy all, all up to the
///                        acknowledged one, but for what has reached max_deliver.
///   a new consumer       needs what is there from its first message on. In a work queue it may
///                        only begin with all.
///   consumer deleted     what only it needed goes; with the last consumer goes everything.
///                        nats-server then leaves some of what had reached max_deliver until the
///                        last consumer is gone; here it goes. A work queue loses nothing.
///   new filters          what they take no longer goes, delivered or not, and acknowledging it
///                        changes nothing. What they take in addition is not needed up to the
///                        acknowledgement floor; nor, with nats-server, up to the last delivery.
///   a new retention      from limits: what is not needed goes at once, without a consumer all.
///                        nats-server then leaves what no filter takes.
///
/// A value; knows nothing of a store. Memory: for each consumer the runs of what is done above its
/// floor, as long as their messages are there, and up to `max_exhausted` sequences. `needed` takes
/// a few comparisons for each consumer, `wanted` one for each pattern among the filters.
class interest_table {
public:
  /// A consumer as its ledger says: done is what was delivered and is neither pending nor
  /// exhausted. Replaces one of the same name.
  void add(const std::string& consumer, std::vector<std::string> filters,
           const ledger_state& state);
  void set_filters(std::string_view consumer, std::vector<std::string> filters);
  void remove(std::string_view consumer);

  bool empty() const { return consumers_.empty(); }
  /// Whether somebody wants what is published to `subject`.
  bool wanted(std::string_view subject) const;

  /// Everything up to `floor` is done, but for what is exhausted.
  void note_floor(std::string_view consumer, uint64_t floor);
  void note_done(std::string_view consumer, uint64_t seq);
  /// Has been delivered as often as is allowed: needed until it is done, wherever the floor is.
  /// Only the last `max_exhausted` of them are.
  void note_exhausted(std::string_view consumer, uint64_t seq);

  bool needed(uint64_t seq, std::string_view subject) const;
  /// The message is gone: nothing of it is kept.
  void forget(uint64_t seq);
  /// Up to here the consumer needs nothing; 0 if there is none of that name.
  uint64_t floor_of(std::string_view consumer) const;
  /// How many runs of sequences are kept of all consumers together.
  size_t runs() const;

private:
  struct part {
    std::vector<std::string> filters;  ///< empty: all
    uint64_t floor = 0;
    std::map<uint64_t, uint64_t> done;  ///< above the floor: from the first to the last of a run
    std::set<uint64_t> exhausted;

    bool takes(std::string_view subject) const;
    bool is_done(uint64_t seq) const;
    void add_done(uint64_t first, uint64_t last);
    void forget(uint64_t seq);
    void raise_floor(uint64_t to);
  };

  part* find(std::string_view consumer);
  void count_filters(const part& p, int by);

  std::map<std::string, part, std::less<>> consumers_;
  // The filters of all consumers with how often there is each.
  size_t take_all_ = 0;
  std::unordered_map<std::string, size_t> literals_;
  std::map<std::string, size_t> patterns_;
};

}  // namespace vagus

#pragma once

#include "actors/jetstream/consumer_ledger.hpp"
#include "actors/jetstream/message_feed.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// Which messages the consumers of a stream with retention `interest` still need. A message is
/// needed by a consumer whose filters let it through, which has not begun behind it, and which is
/// not done with it. What is not needed by any of them goes; what nobody wants is not stored.
///
/// Memory: what is done above a consumer's acknowledgement floor, until the message goes.
class interest_table {
public:
  void add(const std::string& consumer, std::vector<std::string> filters,
           const ledger_state& state);
  void set_filters(std::string_view consumer, std::vector<std::string> filters);
  void remove(std::string_view consumer);

  bool empty() const { return consumers_.empty(); }
  /// Whether somebody wants what is published to `subject`.
  bool wanted(std::string_view subject) const;

  /// Everything up to `floor` is done.
  void note_floor(std::string_view consumer, uint64_t floor);
  void note_done(std::string_view consumer, uint64_t seq);
  bool needed(uint64_t seq, std::string_view subject) const;
  /// The message is gone.
  void forget(uint64_t seq);
  /// Up to here the consumer needs nothing; 0 if there is none of that name.
  uint64_t floor_of(std::string_view consumer) const;

private:
  struct part {
    message_feed filter{{}};
    uint64_t floor = 0;
    std::set<uint64_t> done;  ///< above the floor
    // As it was when it was added: up to there only what was pending is not done.
    uint64_t delivered = 0;
    std::set<uint64_t> pending;
  };

  static bool needs(const part& p, uint64_t seq, std::string_view subject);

  std::map<std::string, part, std::less<>> consumers_;
};

}  // namespace vagus

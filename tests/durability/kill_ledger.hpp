#pragma once

#include "tests/durability/kill_wire.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace vagus::test {

/// What takes messages out of a stream.
enum class removal {
  none,
  limit,        ///< max_msgs: the oldest go
  per_subject,  ///< max_msgs_per_subject 1: the older one of the same subject goes
  requests,     ///< deletes and purges
};

/// What was done to one stream and what its server said to that: the judge of what must be in it.
///
/// Connection `c` sends messages 1, 2, 3... to each stream, each with an id of its own, and repeats
/// after a restart those that were not acknowledged, in their order, before it goes on. Writing
/// threads may call everything down to `purge_acknowledged` at the same time.
class ledger {
public:
  static constexpr uint64_t kept_by_limit = 300;

  ledger(std::string stream, removal how, size_t connections);

  const std::string& stream() const { return stream_; }
  removal how() const { return how_; }
  std::string create_request() const;

  /// The message that the connection sends next, which counts as sent from now on.
  uint64_t next_of(size_t connection);
  std::string subject_of(size_t connection, uint64_t number) const;
  std::string payload_of(size_t connection, uint64_t number) const;
  std::string id_of(size_t connection, uint64_t number) const;

  /// An answer to a message that was sent. Throws `failure` unless it is the acknowledgement of a
  /// message that is new, has a sequence of its own and lies behind the connection's earlier ones.
  void acknowledge(size_t connection, uint64_t number, const nlohmann::json& answer);

  /// A message to delete, or 0 when there is none: from then on it may be gone.
  uint64_t choose_delete(std::mt19937_64& random);
  void delete_acknowledged(uint64_t sequence);

  struct purge {
    uint64_t below = 0;               ///< 0: nothing to purge
    std::string filter;               ///< empty: all subjects
    std::vector<uint64_t> sequences;  ///< what is known to be in it
  };
  purge choose_purge(std::mt19937_64& random);
  void purge_acknowledged(const purge& done);

  /// What a server says about the stream, and gives of it.
  struct contents {
    uint64_t first = 0, last = 0, count = 0;
    std::vector<delivered> messages;
  };

  /// Compares with what the server has after a restart. Throws `failure` with all that is wrong.
  /// Afterwards the ledger knows which of the unanswered requests came through.
  void judge(const contents& there);

  /// The same for the contents that `client` reads.
  void check(asker& client);

  /// Repeats what was not acknowledged, and some of what was. With `removed_too` also messages
  /// that are not stored any more, whose ids must be known all the same. After a `check`.
  void retry(asker& client, std::mt19937_64& random, bool removed_too);

  uint64_t acknowledged() const;

private:
  struct origin {
    size_t connection = 0;
    uint64_t number = 0;
    auto operator<=>(const origin&) const = default;
  };

  struct stored {
    uint64_t sequence = 0;
    origin from;
    std::string subject;
  };

  stored recognize(const delivered& message) const;
  void find_doubles(const std::vector<stored>& all);
  void find_lost(const std::vector<stored>& all, uint64_t first);
  void find_undead(const std::vector<stored>& all);
  void find_gaps(const std::vector<stored>& all, uint64_t first, uint64_t last);
  void find_holes(uint64_t first);
  void settle(const std::vector<stored>& all);
  std::vector<uint64_t> newest_present() const;
  bool may_be_gone(uint64_t sequence, const std::string& subject, uint64_t first) const;
  void retry_unacknowledged(asker& client, const origin& from);
  void retry_acknowledged(asker& client, const origin& from, uint64_t sequence);
  void wrong(const std::string& what);
  std::string name_of(const origin& from) const;

  mutable std::mutex mutex_;
  std::string stream_;
  removal how_;
  std::vector<std::vector<uint64_t>> sequences_;  ///< by connection and number - 1; 0: not acked
  std::map<uint64_t, origin> acknowledged_;
  std::set<uint64_t> removed_, maybe_removed_;
  std::set<origin> given_up_;  ///< not stored any more and never acknowledged; not to be repeated
  uint64_t purged_below_ = 0;  ///< of all purges that were ever asked for
  // What the last `check` saw.
  std::map<origin, uint64_t> present_;
  std::map<std::string, uint64_t> last_of_subject_;
  uint64_t last_ = 0;
  std::string findings_;
};

}  // namespace vagus::test

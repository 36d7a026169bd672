#pragma once

#include "tests/durability/kill_wire.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace vagus::test {

/// What publishers and workers did to one stream and its durable pull consumer, and what the server
/// answered: the judge of exactly once, from end to end.
///
/// Publisher `p` sends messages 1, 2, 3... and repeats each with its id until it is acknowledged. A
/// worker finishes a message when its acknowledgement is answered. All functions may be called by
/// several threads; each throws `failure` when the server did what it must not do.
class exactly_once_ledger {
public:
  exactly_once_ledger(std::string stream, bool workqueue, size_t publishers);

  const std::string& stream() const { return stream_; }
  std::string stream_request() const;
  std::string consumer_request() const;
  static constexpr const char* consumer = "workers";
  static constexpr uint64_t most_unfinished = 500;  ///< no new messages above that

  /// Which message of the publisher comes next: one that waits for its acknowledgement, one that
  /// has it, or, with `fresh`, mostly a new one, which counts as sent from now on. 0: none.
  uint64_t choose(size_t publisher, std::mt19937_64& random, bool fresh);
  std::string subject_of(size_t publisher) const;
  std::string id_of(size_t publisher, uint64_t number) const;
  /// False: that was known.
  bool acknowledged(size_t publisher, uint64_t number, const nlohmann::json& answer);
  bool all_acknowledged() const;

  /// What is answered after this and before the next call is not known to earlier requests.
  uint64_t next_moment();

  struct delivery {
    uint64_t sequence = 0;
    uint64_t times = 0;  ///< 1: the first time
    std::string reply;   ///< where it is acknowledged
    uint64_t life = 0;   ///< of the server
  };
  /// A message came for a request that was sent at `asked`. It must be the one that is stored under
  /// its sequence, and none whose acknowledgement was answered before that.
  delivery delivered_to(const delivered& message, uint64_t asked);

  /// An acknowledgement is about to be sent, or was answered.
  void finishing(const delivery& what);
  void finished(const delivery& what);
  /// From now on it is another life of the server.
  void begin_life();
  /// Acknowledgements that earlier lives did not answer, for `worker` of `workers` to repeat. This
  /// life answers as well, unless it does not know the delivery: then the message comes again.
  std::vector<delivery> unanswered(size_t worker, size_t workers) const;
  bool all_finished() const;

  /// After a restart, before anything else is asked of it: does the consumer know all that was
  /// answered, and nothing that nobody sent?
  void check_consumer(asker& client) const;

  /// When all is finished: each message is there once, or, in a work queue, none any more.
  void check_end(asker& client) const;

  std::string summary() const;

private:
  struct entry {
    uint64_t sequence = 0;  ///< 0: not acknowledged, and not seen
    bool acknowledged = false;
    uint64_t stored = 0;  ///< acknowledgements that said it is new
  };

  struct work {
    bool sent = false;      ///< an acknowledgement of it is on its way or was
    uint64_t finished = 0;  ///< the moment of the first answer; 0: none
    uint64_t deliveries = 0;
    std::string id;
  };

  void place(const std::string& id, uint64_t sequence);
  void check_counts(uint64_t floor, uint64_t last, uint64_t num_ack_pending) const;
  [[noreturn]] static void wrong(const std::string& what);

  mutable std::mutex mutex_;
  std::string stream_;
  bool workqueue_;
  std::vector<std::deque<entry>> sent_;  ///< by publisher and number - 1
  std::vector<std::vector<uint64_t>> waiting_;
  std::map<uint64_t, work> work_;  ///< by sequence
  std::map<uint64_t, delivery> unanswered_;
  std::map<std::string, uint64_t> sequence_of_;
  uint64_t moment_ = 1;
  uint64_t life_ = 0;
  uint64_t acknowledged_ = 0, finished_ = 0, repeated_ = 0, doubles_ = 0;
};

}  // namespace vagus::test

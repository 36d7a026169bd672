#pragma once

#include "actors/jetstream/consumer.hpp"
#include "actors/jetstream/consumer_check.hpp"
#include "actors/jetstream/messages.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

class stream_state;

/// The consumers of one stream: the part of the stream that makes and removes them, commits what
/// they want to be committed, and tells those that follow it what is new. Used on the stream's
/// loop.
///
/// A consumer is a row with its configuration, rows with its state (ledger_rows.hpp), and an actor;
/// one with `mem_storage` is the actor alone. One that rests (consumer.hpp) has none: the stream is
/// subscribed in its place, and wakes it when somebody wants something of it.
class stream_consumers {
public:
  explicit stream_consumers(stream_state& of) : stream_{of} {}

  /// Brings back those that are stored. Returns what is wrong with a row, for the log.
  std::vector<std::string> recover(store_snapshot& in);
  /// All that were brought back answer.
  bool settled() const { return starting_ == 0 && stream_applied() >= recovered_; }
  size_t size() const { return entries_.size(); }

  /// A request of the API: CONSUMER.<verb>.<stream>...
  void answer(const stream_call_ptr& call);

  void note_ready(const std::string& consumer);
  void note_ended(const std::string& consumer);
  void note_expired(const std::string& consumer);
  void let_rest(const std::string& consumer);
  void note_rested(const std::string& consumer, bool rests);
  /// Messages for consumers in whose place the stream is subscribed, or that are about to rest.
  void take(const frame_batch& batch, const frame_run& run);
  /// More of the changes is in force that the stream has asked for.
  void note_applied();
  void follow(const std::string& consumer, bool follow);
  void commit(const consumer_change_ptr& change);
  /// The stream has another retention.
  void change_retention();
  /// A batch is committed.
  void tell(const stream_batch_ptr& batch);

  /// The stream is subscribed in place of nobody any more. Comes before its client withdraws.
  void withdraw();
  /// Ends them all; those of a stream that is removed for good.
  void end(bool removed);
  bool ended() const { return ending_ && running_ == 0; }

private:
  /// What waits for something to end.
  struct held {
    std::vector<stream_call_ptr> waiting;  ///< until it is busy no longer
    std::vector<stream_call_ptr> deletions;
    std::vector<consumer_call_ptr> calls;  ///< for its actor, until it rests
    std::vector<frame_batch_ptr> frames;
  };
  struct entry {
    consumer_config_ptr config;
    int64_t created_ns = 0;
    consumer_actor actor;        ///< null while its first rows are committed, and while it rests
    std::unique_ptr<held> kept;  ///< null where nothing waits
    uint8_t slots = 0;           ///< the highest slot of a row of its state
    bool made = false;           ///< its first rows are there
    bool busy = true;            ///< it is being made, changed or removed, or about to rest
    bool leaving = false;
    bool starting = false;
    bool following = false;
    bool substituted = false;  ///< the stream is subscribed in its place
    bool resting = false;      ///< its actor was told to rest
    bool wants_rest = false;   ///< and will be, once it is not busy

    held& hold() {
      if (!kept) kept = std::make_unique<held>();
      return *kept;
    }
  };
  using catalog = std::map<std::string, entry, std::less<>>;

  void answer_create(const stream_call_ptr& call);
  void answer_names(const stream_call_ptr& call);
  void answer_list(const stream_call_ptr& call);
  void answer_pause(const stream_call_ptr& call, const std::string& consumer, entry& e);
  void answer_reset(const stream_call_ptr& call, const std::string& consumer, entry& e);
  std::optional<api_error> check_reset(const consumer_config& config, uint64_t seq) const;
  void create(const stream_call_ptr& call, consumer_request asked);
  std::string identity() const;
  std::optional<api_error> check_identity(const stream_call& call) const;
  void update(const stream_call_ptr& call, consumer_request asked, entry& e);
  void change(const stream_call_ptr& call, const std::string& consumer, entry& e,
              consumer_config_ptr next, consumer_call_kind kind);
  void remove(const std::string& consumer, entry& e);
  void remove_rows(const std::string& consumer, const entry& e);
  void send(const std::string& consumer, entry& e, const consumer_call_ptr& call);
  bool wake(const std::string& consumer, entry& e);
  void hand_over(const message_view& message, bool ack);
  void pass_on(const std::string& consumer, entry& e, frame_batch_ptr batch);
  void substitute(const std::string& consumer, entry& e, bool wanted);
  void when_applied(std::function<void()> then);
  void unfollow(entry& e);
  void start(const std::string& consumer, entry& e, consumer_ledger ledger,
             consumer_call_ptr creation);
  void admit(const std::string& consumer, const entry& e, const consumer_ledger& ledger);
  void finish(const std::string& consumer);
  void erase(const std::string& consumer);
  void refuse(const stream_call_ptr& call, std::string_view type, const api_error& why);
  std::vector<const consumer_config*> configs(std::string_view except) const;
  uint64_t stream_applied() const;
  void note_made(const std::string& consumer, consumer_ledger ledger, consumer_call_ptr creation);
  /// `slots` gets the highest slot of its rows.
  std::optional<consumer_ledger> read_ledger(store_snapshot& in, const std::string& consumer,
                                             const consumer_config& config,
                                             uint8_t* slots = nullptr) const;
  void note_state(const std::string& consumer, const entry& e, const ledger_state& state);
  void note_count();

  stream_state& stream_;
  catalog entries_;
  size_t starting_ = 0;
  size_t running_ = 0;  ///< actors that have not ended
  size_t next_loop_ = 0;
  size_t direct_ = 0;  ///< entries of consumers that do not count
  std::vector<entry*> followers_;
  uint64_t recovered_ = 0;  ///< changes that are to be in force before it is settled
  /// What waits for so many of the stream's changes to be in force, ascending.
  std::deque<std::pair<uint64_t, std::function<void()>>> arrivals_;
  bool ending_ = false;
};

}  // namespace vagus

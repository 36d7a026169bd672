#pragma once

#include "actors/jetstream/consumer.hpp"
#include "actors/jetstream/consumer_check.hpp"
#include "actors/jetstream/messages.hpp"

#include <deque>
#include <functional>
#include <map>
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
/// one with `mem_storage` is the actor alone.
class stream_consumers {
public:
  explicit stream_consumers(stream_state& of) : stream_{of} {}

  /// Brings back those that are stored. Returns what is wrong with a row, for the log.
  std::vector<std::string> recover(store_snapshot& in);
  /// All that were brought back answer.
  bool settled() const { return starting_ == 0; }
  size_t size() const { return entries_.size(); }

  /// A request of the API: CONSUMER.<verb>.<stream>...
  void answer(const stream_call_ptr& call);

  void note_ready(const std::string& consumer);
  void note_ended(const std::string& consumer);
  void note_expired(const std::string& consumer);
  void follow(const std::string& consumer, bool follow);
  void commit(const consumer_change_ptr& change);
  /// A batch is committed.
  void tell(const stream_batch_ptr& batch);

  /// Ends them all; those of a stream that is removed for good.
  void end(bool removed);
  bool ended() const { return ending_ && running_ == 0; }

private:
  struct entry {
    consumer_config_ptr config;
    int64_t created_ns = 0;
    consumer_actor actor;  ///< null while its first rows are committed
    uint8_t slots = 0;     ///< the highest slot of a row of its state
    bool busy = true;      ///< it is being made, changed or removed
    bool leaving = false;
    bool starting = false;
    bool following = false;
    std::deque<stream_call_ptr> waiting;  ///< until it is busy no longer
    std::vector<stream_call_ptr> deletions;
  };
  using catalog = std::map<std::string, entry, std::less<>>;

  void answer_create(const stream_call_ptr& call);
  void answer_names(const stream_call_ptr& call);
  void answer_list(const stream_call_ptr& call);
  void answer_pause(const stream_call_ptr& call, const std::string& consumer, entry& e);
  void create(const stream_call_ptr& call, consumer_request asked);
  std::string identity() const;
  std::optional<api_error> check_identity(const stream_call& call) const;
  void update(const stream_call_ptr& call, consumer_request asked, entry& e);
  void change(const stream_call_ptr& call, const std::string& consumer, entry& e,
              consumer_config_ptr next, consumer_call_kind kind);
  void remove(const std::string& consumer, entry& e);
  void start(const std::string& consumer, entry& e, consumer_ledger ledger,
             consumer_call_ptr creation);
  void finish(const std::string& consumer);
  void erase(const std::string& consumer);
  void refuse(const stream_call_ptr& call, std::string_view type, const api_error& why);
  std::vector<const consumer_config*> configs(std::string_view except) const;
  std::string config_row(const entry& e) const;
  void note_count();

  stream_state& stream_;
  catalog entries_;
  size_t starting_ = 0;
  size_t running_ = 0;  ///< actors that have not ended
  size_t next_loop_ = 0;
  bool ending_ = false;
};

}  // namespace vagus

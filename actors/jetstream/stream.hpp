#pragma once

#include "actors/internal_client.hpp"
#include "actors/jetstream/commit_queue.hpp"
#include "actors/jetstream/interest_table.hpp"
#include "actors/jetstream/jetstream_context.hpp"
#include "actors/jetstream/publish_headers.hpp"
#include "actors/jetstream/source_header.hpp"
#include "actors/jetstream/source_status.hpp"
#include "actors/jetstream/stream_consumers.hpp"
#include "actors/jetstream/stream_record.hpp"
#include "net/subject_transform.hpp"
#include "net/timers.hpp"
#include "storage/message_store.hpp"

#include <caf/typed_response_promise.hpp>

#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// How a stream comes to life.
struct stream_start {
  std::string name;
  stream_record_ptr record;
  /// Its store, if it was there before; else it is made.
  std::shared_ptr<message_store> store = {};
  /// A store that a client has restored: `store`, or a directory that takes the stream's place on
  /// the disk. The configuration is not in it yet.
  bool restored = false;
  std::filesystem::path adopt = {};
};

/// One stream. What arrives while a commit runs forms the next commit: take -> store_message ->
/// commit_queue -> a storage thread -> settle, which acknowledges. Nothing is acknowledged that is
/// not committed, and nobody reads what is not.
///
/// Files: stream.cpp (behavior, start, end), stream_publish.cpp (from a delivery to proposals),
/// stream_commit.cpp (commits, acknowledgements, failures), stream_republish.cpp (copies of what
/// was stored), stream_requests.cpp (the API), stream_consumers.hpp (its consumers),
/// stream_retention.cpp (which messages these still need), stream_sourcing.cpp (mirrors, sources).
class stream_state final : private timed {
public:
  using handle = stream_actor;
  using open_to_guests = void;
  static constexpr const char* name = "stream";

  /// Both contexts outlive the stream.
  stream_state(handle::pointer self, loop_context& context, jetstream_context& js,
               stream_start start);
  ~stream_state();

  handle::behavior_type behavior();
  void after_run();

private:
  friend class stream_consumers;  ///< a part of it
  enum class phase : uint8_t { opening, open, ending, closed };

  // stream.cpp
  void open();
  void note_opened(const opened_store& opened);
  void subscribe();
  void subscribe_to(const std::string& subject);
  void change_subscriptions(const stream_config& before);
  void note_settled();
  void count_bytes(int64_t held);
  void configure(const stream_config_ptr& next);
  void put_in_force(const stream_config_ptr& next);
  void repeat_limits();
  using readers = std::vector<stream_reader_actor>;
  void start_readers(readers& into, const std::string& asked);
  void end_readers(readers& which);
  void end(bool remove);
  void close_if_done();
  void close_store();
  void note_closed(const store_error& error);
  void end_if_done();
  void on_time(time_point now) override;

  // stream_publish.cpp
  void take(const frame_batch_ptr& batch);
  void store_message(const message_view& message);
  std::optional<js_errc> first_objection(const message_view& message,
                                         const publish_headers& headers) const;
  std::optional<api_error> demand(const publish_headers& headers, store_proposal& p) const;
  void note_exceeded();
  std::string_view transformed(std::string_view subject, std::string& buffer) const;
  stream_batch& open_batch();

  // stream_commit.cpp
  void commit();
  void hand_over();
  void settle(const stream_batch_ptr& batch);
  void acknowledge(const stream_batch& batch);
  void answer_drained();
  void note_failure(const store_error& error);
  const store_error& why_refused(const store_error& error) const;
  void retry();
  void note_retried(const store_error& error);
  void schedule_expiry(int64_t next_expiry_ns);
  void schedule();
  void sync();
  void commit_rest();

  // stream_republish.cpp
  void make_transforms();
  void republish(const stream_batch& batch);

  // stream_sourcing.cpp
  struct source_part;
  void start_sources();
  void end_sources();
  void recover_progress(store_snapshot& in, source_part& part) const;
  void take_sourced(const sourced_ptr& messages);
  void propose_sourced(size_t index);
  struct sourced_commit;
  void propose_one(const source_part& part, const message_view& m, stream_batch& batch,
                   sourced_commit& commit);
  void propose_progress(const source_part& part, stream_batch& batch,
                        const sourced_commit& commit) const;
  void settle_sourced(const sourced_commit& commit, const stream_batch& batch);
  void refuse_sourced(source_part& part);
  void serve_origin();

  // stream_retention.cpp
  void release_messages(const consumer_change& change, stream_batch& batch);
  void sweep_after_commit(uint64_t from);
  void sweep(uint64_t from);
  consumer_bounds consumer_limits() const;

  // stream_requests.cpp
  void answer(const stream_call_ptr& call);
  void answer_now(const stream_call_ptr& call);
  void answer_info(const stream_call_ptr& call);
  void answer_purge(const stream_call_ptr& call);
  void answer_msg_get(const stream_call_ptr& call);
  void answer_msg_delete(const stream_call_ptr& call);
  std::string_view outside(uint64_t seq) const;
  void purge(purge_proposal p, std::string filter, const stream_call_ptr& call, uint64_t removed);
  void respond(const stream_call_ptr& call, std::string_view body);
  void refuse(const stream_call_ptr& call, std::string_view type, const api_error& why);

  int64_t now_ns() const { return context_.wall_now(self_->clock().now()); }
  const stream_config& config() const { return *config_; }

  handle::pointer self_;
  loop_context& context_;
  jetstream_context& js_;
  const std::string name_;
  stream_record_ptr record_;
  stream_config_ptr config_;
  std::shared_ptr<message_store> store_;
  storage_worker_actor writer_;
  std::optional<subject_transform> transform_;  ///< of what comes in
  std::optional<subject_transform> republish_;  ///< to where what is stored goes as well
  internal_client client_;
  stream_consumers consumers_{*this};
  interest_table interest_;  ///< with that retention only

  /// Its mirror, or one of its sources.
  struct source_part {
    std::string name;
    sourced_subject subject;
    sourcing_actor actor;
    source_status_ptr status;
    uint64_t stored = 0;      ///< the last sequence of the origin that is committed
    std::string stored_of;    ///< and what that origin calls itself
    uint64_t expected = 0;    ///< the last that has come
    std::string expected_of;  ///< from whom
    bool in_flight = false;
    std::deque<sourced_ptr> waiting;
  };
  std::vector<source_part> sources_;
  uint64_t sources_epoch_ = 0;

  phase phase_ = phase::opening;
  bool restored_ = false;        ///< its store lacks the configuration
  std::filesystem::path adopt_;  ///< that becomes its directory
  int64_t counted_ = 0;          ///< bytes of it in the context's sum
  bool retired_ = false;         ///< nothing more can come from publishers
  bool remove_ = false;          ///< what is stored goes when the stream ends
  bool reconfigured_ = false;    ///< the API waits for new subscriptions to be in force
  bool limits_differ_ = false;   ///< the store has others than the configuration
  uint64_t subjects_asked_ = 0;  ///< of its client, up to the last change of its own subjects
  uint32_t next_slot_ = 0;
  std::vector<std::pair<std::string, uint32_t>> slots_;  ///< of its subjects
  std::string domain_prefix_;                            ///< of the API; empty without a domain

  stream_batch_ptr open_;  ///< takes proposals
  std::shared_ptr<commit_queue> commits_;
  stream_batch_ptr last_;   ///< of those that are handed over and not settled
  size_t handed_over_ = 0;  ///< and how many these are
  bool retrying_ = false;   ///< a store that has stopped is about to be tried again
  bool again_ = false;      ///< the store has more to do than the last batch gave it time for
  store_error stopped_;     ///< why the store takes nothing, if it does not
  std::string ack_head_;    ///< {"stream":"NAME",["domain":"D",]"seq":
  std::vector<caf::typed_response_promise<bool>> waiting_for_drain_;
  readers own_readers_;
  readers origin_readers_;      ///< answer what is asked of its origin
  bool caught_up_ = false;      ///< as a mirror, it had all that its origin has
  size_t readers_ = 0;          ///< that hold the store
  size_t readers_awaited_ = 0;  ///< that do not answer yet
  time_point next_expiry_ = time_point::max();
  time_point next_retry_ = time_point::max();
  time_point next_sync_ = time_point::max();
  time_point next_commit_ = time_point::max();  ///< of what the store has not committed
  std::chrono::nanoseconds sync_interval_{0};
};

/// How long a commit of the stream may wait for the disk; 0: not at all.
std::chrono::nanoseconds sync_interval_of(const stream_config& config,
                                          std::chrono::nanoseconds of_server);

/// What a client is told when its stream's store has refused something as a whole.
api_error error_of(const store_error& error);

}  // namespace vagus

#pragma once

#include "actors/internal_client.hpp"
#include "actors/jetstream/consumer_info.hpp"
#include "actors/jetstream/consumer_ledger.hpp"
#include "actors/jetstream/flow_window.hpp"
#include "actors/jetstream/jetstream_context.hpp"
#include "actors/jetstream/message_feed.hpp"
#include "actors/jetstream/pull_queue.hpp"
#include "actors/jetstream/stream_record.hpp"
#include "net/timers.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// The slots of what a consumer is subscribed to, each API's prefix with one of its own from
/// `pulls` on. Its stream uses the same, from `subscriber::standing_in` on, in its place.
struct consumer_slot {
  static constexpr uint32_t acks = subscriber::relieving;
  static constexpr uint32_t flow = acks + 1;
  static constexpr uint32_t pulls = acks + 2;
  static constexpr uint32_t instead_of(uint32_t slot) {
    return slot - subscriber::relieving + subscriber::standing_in;
  }
};

/// How a consumer comes to life.
struct consumer_start {
  std::string stream;
  std::string name;
  consumer_config_ptr config;
  int64_t created_ns = 0;
  stream_record_ptr record;
  retention_policy retention = retention_policy::limits;
  std::shared_ptr<message_store> store;
  stream_actor owner;
  consumer_ledger ledger;
  /// Its first state is stored already.
  bool stored = false;
  /// Who created it and is told when it is ready; null: it was there when the server started.
  consumer_call_ptr creation = {};
};

/// One consumer of a stream. It reads the store for itself: the stream has no work with a consumer
/// that is behind. After every turn it delivers what it may, then hands the stream what has to be
/// committed. It follows the stream's commits while somebody wants messages of it.
///
/// One that nobody uses rests, if it may (consumer_config::may_rest): it ends, and its rows are all
/// that is left of it until the stream, which is subscribed in its place, gets something for it.
/// It subscribes by itself only when a client waits, or has got messages; not for requests about
/// it.
///
/// Files: consumer.cpp (behavior, start, end, requests about it), consumer_deliver.cpp (what goes
/// out), consumer_acks.cpp (what comes in, what is committed of it), consumer_news.cpp (what is new
/// in the stream, and how many messages are to come), consumer_push.cpp (whom a push consumer
/// delivers to).
class consumer_state final : private timed {
public:
  using handle = consumer_actor;
  using open_to_guests = void;
  static constexpr const char* name = "consumer";

  /// Both contexts outlive the consumer.
  consumer_state(handle::pointer self, loop_context& context, jetstream_context& js,
                 consumer_start start);
  ~consumer_state();

  handle::behavior_type behavior();
  void after_run();

private:
  enum class phase : uint8_t { starting, open, resting, ending, ended };
  using slot = consumer_slot;

  // consumer.cpp
  void subscribe();
  void attach();
  void note_started();
  void note_lasts(const last_messages& lasts);
  void find_lasts_apart();
  bool doubts_lasts();
  void answer_early();
  void answer(const consumer_call_ptr& call);
  void answer_now(const consumer_call_ptr& call);
  void answer_info(const consumer_call& call);
  void answer_list(const consumer_call& call);
  void answer_unpin(const consumer_call& call);
  void reset(const consumer_call& call);
  void put_in_force(const consumer_call& call);
  void change_retention(retention_policy retention);
  consumer_info info();
  void respond(const api_request& request, std::string_view body, std::string headers = {});
  void end(bool deleted);
  void end_if_done();
  void on_time(time_point now) override;
  void expire();
  void schedule();
  void note_idle();

  // consumer_rest.cpp
  bool can_rest() const;
  void attach_or_rest();
  void ask_for_rest();
  void rest();
  void end_rest();

  // consumer_acks.cpp
  void take(const frame_batch_ptr& batch);
  void take_frames(const frame_batch& batch);
  void take_ack(const message_view& message);
  void take_next(const message_view& message);
  void look_ahead();
  void accept(const ack_subject& to, const ack_body& body, const message_view& message);
  void flush_changes();
  void note_stored(const consumer_change_ptr& change, bool stored);
  void report_sample(const ack_subject& to, int64_t since_ns);
  void report_exhausted();
  void send_dead_letter(uint64_t seq, uint64_t deliveries, std::string_view cause,
                        std::string_view reason);

  // consumer_deliver.cpp
  void deliver();
  bool may_deliver() const;
  bool has_demand() const;
  bool deliver_one(store_snapshot& in);
  bool deliver_again(store_snapshot& in, uint64_t seq);
  bool deliver_new(store_snapshot& in);
  size_t size_sent(const stored_message& m) const;
  bool hand_out(const stored_message& m, uint64_t deliveries, uint64_t pending);
  void send(std::string_view to, const stored_message& m, std::string_view pin);
  bool wait_for_pace(const stored_message& m);
  bool wait_for_rate(const stored_message& m);
  void flush_deliveries();
  void publish_effects(pull_effects& effects);
  void tend();
  pull_standing standing(int64_t now) const;

  // consumer_news.cpp
  void follow();
  void unfollow();
  void note_news(const stream_batch_ptr& batch);
  void count_stored(const stream_batch& batch);
  void count_removed(const stream_batch& batch);
  void recount(store_snapshot& in);

  // consumer_push.cpp
  void look_for_interest();
  bool push_ready() const;
  void take_flow_answer();
  void note_pushed(size_t bytes);
  void send_heartbeat();
  void send_flow_request();

  int64_t now_ns() const { return context_.wall_now(self_->clock().now()); }
  const consumer_config& config() const { return *config_; }
  bool acked_by_delivery() const { return config().ack_policy == ack_policy::none; }
  bool keeps_rows() const { return !config().mem_storage; }
  bool removes_messages() const { return retention_ != retention_policy::limits; }

  handle::pointer self_;
  loop_context& context_;
  jetstream_context& js_;
  const std::string stream_;
  const std::string name_;
  consumer_config_ptr config_;
  const int64_t created_ns_;
  const stream_record_ptr record_;  ///< its stream's
  retention_policy retention_;
  std::shared_ptr<message_store> store_;
  stream_actor owner_;
  consumer_ledger ledger_;
  message_feed feed_;
  pull_queue pulls_;
  std::optional<internal_client> client_;  ///< once it is subscribed by itself
  std::vector<consumer_call_ptr> early_;   ///< requests that wait until it can answer
  phase phase_ = phase::starting;
  bool retired_ = false;
  bool subscribed_ = false;
  bool deleted_ = false;
  bool asked_for_rest_ = false;
  bool finding_lasts_ = false;  ///< a storage thread looks for them

  // What goes out
  const std::string ack_head_;  ///< $JS.ACK.<stream>.<consumer>.
  fmt::basic_memory_buffer<char, 256> reply_;
  std::string body_;
  pull_effects effects_;
  picked_request picked_;  ///< used again and again
  int64_t turn_ns_ = 0;    ///< when the turn began that delivers
  std::vector<exhausted_message> exhausted_;
  size_t stalls_ = 0;           ///< receivers that have too much to write
  size_t sent_bytes_ = 0;       ///< in this turn
  bool continuing_ = false;     ///< more is to be delivered in another turn
  bool at_end_ = false;         ///< there was nothing more when it last looked
  bool unwanted_ = false;       ///< no request may have what is next
  int64_t not_before_ns_ = 0;   ///< replay at its original pace, or a limited rate
  int64_t paid_until_ns_ = 0;   ///< at that rate what was delivered takes until then
  int64_t replayed_ns_ = 0;     ///< when the last message was stored and
  int64_t replayed_at_ns_ = 0;  ///< delivered
  int64_t active_ns_ = 0;       ///< when it was last of use to anybody

  // What is committed
  std::vector<uint64_t> done_;
  std::vector<uint64_t> spent_;  ///< exhausted, with retention `interest`
  std::vector<std::string> ack_replies_;
  struct held_answer {
    api_request request;
    std::string body;
  };
  std::vector<held_answer> answers_;         ///< of resets that are to be stored
  std::vector<held_answer> answers_stored_;  ///< that are in the change on its way
  bool in_flight_ = false;
  bool refused_ = false;      ///< the store has not taken the last one
  bool tells_state_ = false;  ///< the stream wants to know all of it
  int64_t flush_at_ns_ = 0;   ///< when changes that nobody waits for are stored; 0: there are none

  // What is new
  bool following_ = false;  ///< or about to
  bool informed_ = false;   ///< told of every commit from now on
  uint64_t told_ = 0;       ///< the number of the last batch that is counted
  uint64_t counted_to_ = 0;
  uint64_t num_pending_ = 0;
  bool uncertain_ = true;     ///< num_pending_ has to be counted anew
  int64_t recounted_ns_ = 0;  ///< when that was done last
  static constexpr uint64_t none_counted = UINT64_MAX;
  /// The batch up to which it was counted, as long as nothing else has changed the count.
  uint64_t counted_at_ = none_counted;
  bool looked_ahead_ = false;  ///< it was counted in this turn
  uint64_t walked_ = 0;        ///< the number of the newest batch that was read from

  // Push
  flow_window window_;
  bool wanted_ = false;  ///< somebody is subscribed to the deliver subject
  int64_t unwanted_since_ns_ = 0;
  int64_t heartbeat_at_ns_ = 0;
};

}  // namespace vagus

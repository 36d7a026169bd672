#pragma once

#include "actors/connection/subscription_table.hpp"
#include "actors/interfaces.hpp"
#include "actors/loop_context.hpp"
#include "net/outbox.hpp"
#include "net/protocol/connect.hpp"
#include "net/protocol/parser.hpp"
#include "net/timers.hpp"
#include "net/transport.hpp"

#include <caf/typed_response_promise.hpp>

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// One client. Socket handlers and message handlers run on the same event loop, so that nothing
/// here is locked. The path of a PUB: on_readable -> process -> router::publish -> flush; of a
/// delivery: take_delivery -> after_run -> write_out.
///
/// Files: connection.cpp (behavior, start, end, timers), input.cpp (reading and parsing),
/// operations.cpp (CONNECT, SUB, UNSUB, PING...), output.cpp (deliveries and writing), trace.cpp,
/// reload.cpp.
class connection_state final : private transport_events, private timed {
public:
  using handle = connection_actor;
  static constexpr const char* name = "connection";
  struct open_to_guests {};

  /// @param context of the event loop that the actor is pinned to; outlives it
  connection_state(handle::pointer self, loop_context& context, transport_ptr socket,
                   uint64_t client_id);
  ~connection_state();

  handle::behavior_type behavior();

  /// Writes what the handled messages have left in the outbox.
  void after_run();

  // reload.cpp
  void put_in_force(const settings_ptr& next);

private:
  /// Reading: `open` reads, `blocked` keeps the rest until an answer is there, `lingering` throws
  /// away what still comes after the last line was written, `closed` is the end.
  enum class phase : uint8_t { open, lingering, closed };

  /// Bytes that have been read and not yet parsed.
  struct unparsed {
    buffer_ptr in;
    size_t begin = 0;
    size_t end = 0;
    size_t needed = 0;  ///< bytes from begin without which parsing is in vain
    size_t size() const { return end - begin; }
  };

  // connection.cpp
  void start();
  void on_time(time_point now) override;
  void schedule();
  void send_ping(time_point now);
  bool past_deadline(time_point now);
  /// Sends `-ERR '<text>'`, then closes once it is written (or a second has passed).
  void refuse(std::string_view text, closed_reason reason);
  /// Closes once what is queued is written, or at once if `immediately`.
  void close(closed_reason reason, bool immediately = false);
  void withdraw_interest();
  void finish();
  void end_if_done();
  std::string log_name() const;
  time_point now() const;

  // input.cpp
  void on_readable() override;
  bool read_once();
  bool prepare_room(buffer_ptr& into, size_t& filled);
  void process();
  /// `wait`: the operation is acted on again when an answer is there.
  enum class step : uint8_t { go_on, wait, stop };
  step act(const operation& o);
  void refuse_operation(op kind);

  void keep_rest(const char* at, const char* end, size_t needed);
  void discard_input();
  void continue_reading();
  void resume_reading();
  void publish(const operation& o);
  void answer_no_responders(const message_view& message);
  bool reserved_subject(const operation& o);
  void settle_own_deliveries();
  void finish_routing();
  void stall(const std::vector<router::pressure>& over);
  bool reading_paused() const { return awaiting_verdict_ || stalls_ > 0; }

  // operations.cpp
  void handle_connect(std::string_view json);
  void authenticate();
  void accept_connect();
  void handle_sub(const operation& o);
  void handle_unsub(const operation& o);
  void handle_ping();
  void handle_pong();
  void remove_subscription(uint32_t slot);
  void push_change(bool add, uint32_t slot);
  void note_applied(uint64_t count);
  uint64_t changes_unapplied() const { return changes_made_ - changes_applied_; }
  void send_changes();
  void set_subscription_count();
  subscriptions_view_ptr list_subscriptions(const subscription_query& query);
  void note_activity();
  credentials presented() const;
  void verify_credentials(const settings_ptr& against, std::function<void(bool)> verdict);

  // trace.cpp
  void trace_operation(const operation& o) const;
  void trace_line(std::string_view line) const;
  void trace_frames(const frame_batch& batch, const frame_run& run) const;

  // output.cpp
  void on_writable() override;
  void take_delivery(const frame_batch& batch);
  void note_taken();
  void take_run(const frame_batch& batch, const frame_run& run);
  void take_limited(const frame_batch& batch, const frame_run& run, subscription& s);
  void reroute(const frame_batch& batch, const frame_run& run);
  void finish_rerouting();
  void send_line(std::string_view line);
  void send_ok();
  void send_error(std::string_view text);
  void write_out();
  void note_written(size_t bytes);
  void take_from_pending(size_t bytes);
  void answer_drained();
  void close_slow(closed_reason reason);

  handle::pointer self_;
  /// The connection keeps itself until it quits: its socket and timer handlers run outside of
  /// turns, where nobody else would keep it.
  caf::strong_actor_ptr alive_;
  loop_context& context_;
  transport_ptr socket_;
  endpoint_ptr endpoint_;
  connection_record_ptr record_;

  phase phase_ = phase::open;
  closed_reason reason_ = closed_reason::client_closed;
  connect_options client_;
  parse_limits limits_;
  bool connect_received_ = false;
  bool authenticated_ = true;
  bool awaiting_verdict_ = false;
  bool connect_info_due_ = true;  ///< the INFO after the first PONG is still to be sent
  bool write_side_closed_ = false;
  bool awaiting_writable_ = false;
  bool awaiting_readable_ = false;
  bool retired_ = false;  ///< nothing can arrive any more from who saw its subscriptions
  uint8_t pings_out_ = 0;
  uint64_t routed_msgs_ = 0;  ///< published by the read at hand
  uint64_t routed_bytes_ = 0;
  uint64_t taken_msgs_ = 0;  ///< of the batch at hand, for the client
  uint64_t taken_bytes_ = 0;
  uint32_t stalls_ = 0;  ///< destinations that are waited for before reading goes on

  subscription_table subscriptions_;
  interest_changes_ptr changes_;
  uint64_t changes_made_ = 0;
  uint64_t changes_applied_ = 0;
  struct leaving_subscription {
    uint64_t change;  ///< its removal, by number
    uint32_t slot;
  };
  std::deque<leaving_subscription> leaving_;
  unparsed rest_;
  outbox outbox_;
  std::vector<caf::typed_response_promise<bool>> waiting_for_drain_;

  time_point last_in_;
  time_point next_ping_;
  time_point ping_sent_;
  time_point auth_deadline_ = time_point::max();
  time_point write_deadline_ = time_point::max();  ///< max: nothing waits
  time_point linger_deadline_ = time_point::max();
};

}  // namespace vagus

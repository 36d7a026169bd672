#pragma once

#include "actors/jetstream/consumer_config.hpp"
#include "actors/jetstream/consumer_requests.hpp"

#include <functional>
#include <list>

namespace vagus {

/// A message without payload that only says how a request stands.
struct status_message {
  std::string to;       ///< the reply subject of the request
  std::string headers;  ///< the whole block with its status line

  bool operator==(const status_message&) const = default;
};

/// Of a priority group's pinned client: an advisory for each.
struct pin_event {
  std::string group;
  std::string id;           ///< who is pinned; empty: nobody any more
  std::string_view reason;  ///< of that

  bool operator==(const pin_event&) const = default;
};

/// What came of it for others.
struct pull_effects {
  std::vector<status_message> statuses;
  std::vector<pin_event> pins;
};

/// How the consumer stands when something is decided.
struct pull_standing {
  int64_t now_ns = 0;
  uint64_t num_pending = 0;  ///< new messages; with the one at hand
  uint64_t num_queued = 0;   ///< messages to be delivered again
  uint64_t num_ack_pending = 0;
  uint64_t last_consumer_seq = 0;  ///< for heartbeats
  uint64_t last_stream_seq = 0;
};

/// What the queue asks of the world.
struct pull_world {
  std::function<bool(std::string_view)> interest;  ///< whether anybody hears this subject
  std::function<std::string()> new_pin;            ///< an id for a pinned client
};

/// The request that gets a message.
struct picked_request {
  std::string to;
  std::string pin;  ///< for the header Nats-Pin-Id, if not empty
  /// To be sent behind the message, if it has a text: the batch is complete and bytes are left.
  status_message after;
};

/// The waiting pull requests of one consumer: whose turn it is, and when and why requests end. Has
/// no clock and sends nothing: every decision is a function of what is asked, the requests that
/// wait and the standing.
///
/// Requests take turns: each gets one message and goes to the end of the line until its batch is
/// complete. With the policy `prioritized` those of a lower number come first.
class pull_queue {
public:
  pull_queue(const consumer_config& config, pull_world world);

  /// Takes a request, or answers why not. `body` is that of CONSUMER.MSG.NEXT or what follows +NXT.
  void add(std::string_view reply, std::string_view body, const pull_standing& standing,
           pull_effects& effects);

  /// Who gets a message of so many bytes (subject, reply subject, headers and payload). False if
  /// nobody may have it now. Requests that end by it are answered.
  bool pick(int64_t size, const pull_standing& standing, pull_effects& effects,
            picked_request& into);

  /// Ends what has expired or is no longer listened to, and sends the heartbeats that are due.
  /// `at_end`: all that may be delivered now is, and it was not `max_ack_pending` that stopped it;
  /// then requests that do not wait end. nats-server takes it for the end as well whenever
  /// `next_time` has come.
  void tend(bool at_end, const pull_standing& standing, pull_effects& effects);
  /// When `tend` may have something to do next. Never later than that.
  std::optional<int64_t> next_time() const;

  /// Ends every request since the consumer is deleted, or since the server shuts down.
  void end_deleted(pull_effects& effects);
  void end_shutdown(pull_effects& effects);
  /// CONSUMER.UNPIN.
  void unpin(const std::string& group, pull_effects& effects);
  /// The configuration has changed.
  void configure(const consumer_config& config);

  bool empty() const { return waiting_.empty(); }
  size_t size() const { return waiting_.size(); }
  /// When a request was last taken or refused for want of messages: what `inactive_threshold`
  /// counts from, with deliveries. 0 is never.
  int64_t last_active_ns() const { return last_active_ns_; }
  const std::string& pinned_id() const { return pin_; }
  int64_t pinned_ns() const { return pinned_ns_; }

private:
  struct waiting_request {
    std::string reply;
    int64_t batch = 1;         ///< messages to come
    int64_t max_bytes = 0;     ///< bytes to come; 0 at first is no limit
    int64_t expires_ns = 0;    ///< 0 is never
    int64_t heartbeat_ns = 0;  ///< between two
    int64_t next_heartbeat_ns = 0;
    bool no_wait = false;
    bool served = false;  ///< has got a message
    int64_t min_pending = 0;
    int64_t min_ack_pending = 0;
    std::string group;
    std::string id;
    int64_t priority = INT32_MAX;
  };
  using line = std::list<waiting_request>;
  enum class turn : uint8_t { serve, cycle, end };

  static int64_t due_ns(const waiting_request& w);
  std::string refuse(const next_request& request) const;
  std::string refuse_group(const next_request& request) const;
  bool refuse_pin(const next_request& request, int64_t now);
  std::string refuse_no_wait(const next_request& request, const pull_standing& standing,
                             pull_effects& effects);
  line::iterator place_for(const waiting_request& request);
  turn turn_of(waiting_request& request, const pull_standing& standing, pull_effects& effects);
  turn pin_turn(waiting_request& request, const pull_standing& standing, pull_effects& effects);
  bool overflow_turn(const waiting_request& request, const pull_standing& standing) const;
  void serve(int64_t size, const pull_standing& standing, picked_request& into);
  void unassign_pin();
  void expire_pin(int64_t now, pull_effects& effects);
  int64_t batch_pending() const;

  pull_world world_;
  int64_t max_waiting_ = 0;
  int64_t max_batch_ = 0;
  int64_t max_expires_ = 0;
  int64_t max_bytes_ = 0;
  priority_policy policy_ = priority_policy::none;
  std::vector<std::string> groups_;
  int64_t priority_timeout_ = 0;
  line waiting_;
  int64_t next_ns_ = INT64_MAX;  ///< no request has anything due before
  int64_t last_tended_ns_ = 0;
  int64_t last_active_ns_ = 0;
  std::string pin_;
  std::string pin_group_;
  int64_t pinned_ns_ = 0;
  int64_t pin_expires_ns_ = 0;
};

}  // namespace vagus

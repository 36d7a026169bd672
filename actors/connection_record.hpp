#pragma once

#include "actors/endpoint.hpp"
#include "actors/messages.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vagus {

/// What monitoring knows of a connection, kept for a while after it has ended. The atomics and the
/// endpoint's counters are written by the connection; `texts` under its mutex.
struct connection_record {
  using wall_clock = std::chrono::system_clock;

  uint64_t client_id = 0;
  std::string ip;
  int port = 0;
  wall_clock::time_point start;
  std::string account;
  endpoint_ptr traffic;
  /// The connection while it is open. Of the server's thread, once the connection has said that it
  /// is there.
  caf::strong_actor_ptr actor;

  std::atomic<uint64_t> subscriptions{0};
  std::atomic<int64_t> rtt_ns{0};
  std::atomic<int64_t> last_activity_ns{0};  ///< since the epoch

  struct client_texts {
    std::string name, lang, version, user;
  };
  client_texts texts() const {
    std::lock_guard lock{mutex};
    return described;
  }
  void describe(client_texts t) {
    std::lock_guard lock{mutex};
    described = std::move(t);
  }

  // Of a connection that has ended
  std::atomic<bool> ended{false};
  wall_clock::time_point stop;
  closed_reason reason = closed_reason::client_closed;

private:
  mutable std::mutex mutex;
  client_texts described;
};

using connection_record_ptr = std::shared_ptr<connection_record>;

/// The server's answer to monitoring.
struct connections_view {
  std::vector<connection_record_ptr> open;    ///< by client_id
  std::vector<connection_record_ptr> closed;  ///< the latest last
  uint64_t total = 0;                         ///< accepted since the start

  /// Traffic of the connections that are not in `open` any more.
  struct traffic {
    uint64_t in_msgs = 0, in_bytes = 0, out_msgs = 0, out_bytes = 0;
  };
  traffic ended;
};

using connections_view_ptr = std::shared_ptr<const connections_view>;

/// Which of its subscriptions a connection is asked for.
struct subscription_query {
  std::string test;  ///< only those that a message to this subject reaches; empty: all
  size_t limit = 0;  ///< how many are listed; the others are only counted
};

/// A connection's answer.
struct subscriptions_view {
  struct detail {
    std::string subject, queue, sid;
    uint64_t delivered = 0;
    uint64_t max = 0;  ///< 0: no limit
  };
  std::vector<detail> list;
  size_t total = 0;  ///< listed or not
};

using subscriptions_view_ptr = std::shared_ptr<const subscriptions_view>;

/// The body of an answer and how it is made: of values that no longer change, and of atomics.
struct render_job {
  std::function<std::string()> run;
  std::string result;
};

using render_job_ptr = std::shared_ptr<render_job>;

}  // namespace vagus

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::connection_record_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::connections_view_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::subscription_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::subscriptions_view_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::render_job_ptr)

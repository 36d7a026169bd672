#pragma once

#include "actors/endpoint.hpp"
#include "net/options/options.hpp"
#include "net/protocol/frame_batch.hpp"
#include "net/protocol/server_info.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

// One block, at most 10 characters each; equal texts would be one type.
using answer_atom = caf::atom_constant<caf::atom("answer")>;
using api_atom = caf::atom_constant<caf::atom("api")>;
using applied_atom = caf::atom_constant<caf::atom("applied")>;
using close_atom = caf::atom_constant<caf::atom("close")>;
using closed_atom = caf::atom_constant<caf::atom("closed")>;
using committed_atom = caf::atom_constant<caf::atom("committed")>;
using configure_atom = caf::atom_constant<caf::atom("configure")>;
using connz_atom = caf::atom_constant<caf::atom("connz")>;
using continue_atom = caf::atom_constant<caf::atom("continue")>;
using drain_atom = caf::atom_constant<caf::atom("drain")>;
using end_atom = caf::atom_constant<caf::atom("end")>;
using ended_atom = caf::atom_constant<caf::atom("ended")>;
using expired_atom = caf::atom_constant<caf::atom("expired")>;
using finished_atom = caf::atom_constant<caf::atom("finished")>;
using follow_atom = caf::atom_constant<caf::atom("follow")>;
using following_atom = caf::atom_constant<caf::atom("following")>;
using hand_atom = caf::atom_constant<caf::atom("hand")>;
using info_atom = caf::atom_constant<caf::atom("info")>;
using interest_atom = caf::atom_constant<caf::atom("interest")>;
using lameduck_atom = caf::atom_constant<caf::atom("lameduck")>;
using lasts_atom = caf::atom_constant<caf::atom("lasts")>;
using news_atom = caf::atom_constant<caf::atom("news")>;
using opened_atom = caf::atom_constant<caf::atom("opened")>;
using ready_atom = caf::atom_constant<caf::atom("ready")>;
using reload_atom = caf::atom_constant<caf::atom("reload")>;
using remove_atom = caf::atom_constant<caf::atom("remove")>;
using render_atom = caf::atom_constant<caf::atom("render")>;
using rest_atom = caf::atom_constant<caf::atom("rest")>;
using rested_atom = caf::atom_constant<caf::atom("rested")>;
using restored_atom = caf::atom_constant<caf::atom("restored")>;
using retired_atom = caf::atom_constant<caf::atom("retired")>;
using retry_atom = caf::atom_constant<caf::atom("retry")>;
using rows_atom = caf::atom_constant<caf::atom("rows")>;
using run_atom = caf::atom_constant<caf::atom("run")>;
using sourced_atom = caf::atom_constant<caf::atom("sourced")>;
using stored_atom = caf::atom_constant<caf::atom("stored")>;
using subsz_atom = caf::atom_constant<caf::atom("subsz")>;
using tick_atom = caf::atom_constant<caf::atom("tick")>;
using fire_atom = caf::atom_constant<caf::atom("fire")>;
using unwatch_atom = caf::atom_constant<caf::atom("unwatch")>;
using verify_atom = caf::atom_constant<caf::atom("verify")>;
using watch_atom = caf::atom_constant<caf::atom("watch")>;

/// Subscriptions that one connection adds and removes, in order. Texts are packed, since a single
/// read may bring thousands.
class interest_changes : public boost::intrusive_ref_counter<interest_changes> {
public:
  explicit interest_changes(endpoint_ptr of) : from{std::move(of)} {}

  struct change {
    bool add;
    uint32_t slot;
    uint32_t generation;
    std::string_view subject;
    std::string_view queue;
    std::string_view sid;
  };

  void push(const change& c) {
    entries_.push_back({c.add, c.slot, c.generation, static_cast<uint32_t>(c.subject.size()),
                        static_cast<uint32_t>(c.queue.size()),
                        static_cast<uint32_t>(c.sid.size())});
    texts_.append(c.subject).append(c.queue).append(c.sid);
  }

  template <class F>
  void for_each(F&& visit) const {
    std::string_view rest{texts_};
    auto take = [&rest](size_t n) {
      auto text = rest.substr(0, n);
      rest.remove_prefix(n);
      return text;
    };
    for (const auto& e : entries_) {
      change c{e.add, e.slot, e.generation, {}, {}, {}};
      c.subject = take(e.subject);
      c.queue = take(e.queue);
      c.sid = take(e.sid);
      visit(c);
    }
  }

  size_t size() const { return entries_.size(); }

  endpoint_ptr from;
  bool last = false;  ///< the connection has ended; nothing of it follows

private:
  struct entry {
    bool add;
    uint32_t slot, generation, subject, queue, sid;
  };
  std::vector<entry> entries_;
  std::string texts_;
};

using interest_changes_ptr = boost::intrusive_ptr<interest_changes>;

/// Why a connection ended; the texts are those of nats-server (connz `reason`).
enum class closed_reason : uint8_t {
  client_closed,
  authentication_timeout,
  authentication_violation,
  slow_consumer_pending,
  slow_consumer_deadline,
  write_error,
  read_error,
  parse_error,
  stale_connection,
  protocol_violation,
  bad_client_protocol,
  max_connections,
  max_payload,
  max_control_line,
  max_subscriptions,
  server_shutdown,
  no_responders_requires_headers,
  kicked,
};

std::string_view to_text(closed_reason reason);

/// The options in force and what INFO says; replaced as a whole on reload.
struct settings {
  options opts;
  server_info info;
  int client_port = 0;                           ///< that is listened on
  std::chrono::system_clock::time_point loaded;  ///< when the options were read

  /// Takes over new options, and what INFO says of them.
  void put(const options& next);
};

using settings_ptr = std::shared_ptr<const settings>;

/// What a client presents in CONNECT.
struct credentials {
  std::string user;
  std::string pass;
  std::string token;
};

}  // namespace vagus

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::frame_batch_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::interest_changes_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::closed_reason)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::settings_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::credentials)

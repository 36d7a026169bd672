#include "actors/connection/connection.hpp"

#include "actors/authenticator.hpp"
#include "actors/interest/rcu.hpp"
#include "net/log.hpp"

#include <caf/send.hpp>

#include <random>

namespace vagus {

namespace {

/// How long the last line may take to be written and read, before the socket is closed anyway.
constexpr std::chrono::seconds linger{1};
constexpr std::chrono::seconds first_ping{2};

/// Up to a fifth more, so that clients that came together are not pinged together.
std::chrono::nanoseconds with_jitter(std::chrono::nanoseconds d) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  return d + d * static_cast<int64_t>(random() % 200) / 1000;
}

}  // namespace

connection_state::connection_state(handle::pointer self, loop_context& context,
                                   transport_ptr socket, uint64_t client_id)
    : self_{self},
      context_{context},
      socket_{std::move(socket)},
      endpoint_{new endpoint{client_id, context.loops}},
      record_{std::make_shared<connection_record>()} {
  record_->client_id = client_id;
  record_->ip = socket_->remote_address();
  record_->port = socket_->remote_port();
  record_->start = connection_record::wall_clock::now();
  record_->account = context.global.name;
  record_->traffic = endpoint_;
  endpoint_->described = record_;
  record_->last_activity_ns = std::chrono::nanoseconds{record_->start.time_since_epoch()}.count();
}

connection_state::~connection_state() {
  context_.deadlines.cancel(*this);
  socket_->close();
}

connection_state::time_point connection_state::now() const {
  return self_->clock().now();
}

std::string connection_state::log_name() const {
  return fmt::format("{}:{} - cid:{}", record_->ip, record_->port, record_->client_id);
}

connection_actor::behavior_type connection_state::behavior() {
  self_->set_error_handler([this](caf::scheduled_actor*, caf::error& e) {
    log_error("{} - unexpected error: {}", log_name(), self_->system().render(e));
  });
  self_->set_exception_handler([this](caf::scheduled_actor*, std::exception_ptr& thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      log_error("{} - closing after an internal error: {}", log_name(), e.what());
    }
    close(closed_reason::protocol_violation, true);
    return caf::error{};
  });
  start();
  return {
      [this](const frame_batch_ptr& batch) { take_delivery(*batch); },
      [this](applied_atom, uint64_t count) { note_applied(count); },
      [this](drain_atom) {
        auto promise = self_->make_response_promise<bool>();
        waiting_for_drain_.push_back(promise);
        answer_drained();
        return promise;
      },
      [this](reload_atom, const settings_ptr& s) { put_in_force(s); },
      [this](info_atom, const settings_ptr& s) {
        if (connect_received_ && client_.protocol >= 1)
          send_line(info_line(s->info, record_->client_id, record_->ip));
      },
      [this](subsz_atom, const subscription_query& query) { return list_subscriptions(query); },
      [this](close_atom, closed_reason reason) {
        if (reason == closed_reason::max_connections)
          refuse("maximum connections exceeded", reason);
        else
          close(reason);
      },
      [this](retired_atom) {
        retired_ = true;
        end_if_done();
      },
      [this](end_atom) { end_if_done(); },
  };
}

void connection_state::start() {
  const auto& current = *context_.current;
  auto at = now();
  alive_ = caf::actor_cast<caf::strong_actor_ptr>(self_);
  endpoint_->actor = alive_;
  limits_ = {current.opts.max_control_line, current.opts.max_payload, false};
  last_in_ = at;
  authenticated_ = !needs_credentials(current.opts);
  if (!authenticated_) auth_deadline_ = at + current.opts.auth_timeout;
  next_ping_ =
      at + with_jitter(std::min<std::chrono::nanoseconds>(current.opts.ping_interval, first_ping));
  socket_->bind(this);
  record_->actor = endpoint_->actor;
  self_->send(context_.server, opened_atom::value, record_, connection_actor{self_});
  log_debug("{} - Client connection created", log_name());
  send_line(info_line(current.info, record_->client_id, record_->ip));
  if (context_.counters.connections.load() > current.opts.max_connections) {
    log_error("{} - maximum connections exceeded", log_name());
    refuse("maximum connections exceeded", closed_reason::max_connections);
    return;
  }
  schedule();
  continue_reading();
}

// ---- timers ----

void connection_state::schedule() {
  auto next = linger_deadline_;
  if (phase_ == phase::open) next = std::min({next_ping_, auth_deadline_, write_deadline_});
  context_.deadlines.schedule(*this, next);
}

void connection_state::on_time(time_point at) {
  if (phase_ == phase::lingering) {
    if (at >= linger_deadline_)
      finish();
    else
      schedule();
    return;
  }
  if (phase_ != phase::open || past_deadline(at)) return;
  if (at >= next_ping_) send_ping(at);
  write_out();
  if (phase_ == phase::open) schedule();
}

bool connection_state::past_deadline(time_point at) {
  if (at >= write_deadline_) {
    close_slow(closed_reason::slow_consumer_deadline);
    return true;
  }
  if (at >= auth_deadline_) {
    log_error("{} - authentication timeout", log_name());
    refuse("Authentication Timeout", closed_reason::authentication_timeout);
    return true;
  }
  return false;
}

/// Keepalive: a PING where nothing has come in for a ping_interval (and for a client's round trip
/// time, at first and every hour).
void connection_state::send_ping(time_point at) {
  constexpr std::chrono::hours measure_again{1};
  const auto& opts = context_.current->opts;
  bool measure = ping_sent_ == time_point{} || at - ping_sent_ > measure_again;
  next_ping_ = at + with_jitter(opts.ping_interval);
  if (at - last_in_ < opts.ping_interval && !measure) return;
  if (pings_out_ + 1 > opts.ping_max) {
    context_.counters.stale_connections.fetch_add(1, std::memory_order_relaxed);
    log_debug("{} - Stale Client Connection - Closing", log_name());
    refuse("Stale Connection", closed_reason::stale_connection);
    return;
  }
  ++pings_out_;
  ping_sent_ = at;
  send_line("PING\r\n");
}

// ---- the end ----

void connection_state::refuse(std::string_view text, closed_reason reason) {
  send_error(text);
  close(reason);
}

void connection_state::close(closed_reason reason, bool immediately) {
  if (phase_ == phase::closed) return;
  if (phase_ == phase::open) {
    reason_ = reason;
    phase_ = phase::lingering;
    linger_deadline_ = now() + linger;
    withdraw_interest();
    answer_drained();
    schedule();
  }
  if (immediately || reason == closed_reason::client_closed ||
      reason == closed_reason::server_shutdown) {
    if (!immediately) outbox_.flush(*socket_, SIZE_MAX);
    finish();
  }
}

/// Nothing is delivered here any more; the subject space forgets the subscriptions.
void connection_state::withdraw_interest() {
  endpoint_->closing = true;
  if (!changes_) changes_ = interest_changes_ptr{new interest_changes{endpoint_}};
  subscriptions_.for_each([&](uint32_t slot, subscription&) { push_change(false, slot); });
  changes_->last = true;
  send_changes();
}

void connection_state::finish() {
  if (phase_ == phase::closed) return;
  phase_ = phase::closed;
  context_.deadlines.cancel(*this);
  take_from_pending(outbox_.pending());
  outbox_.clear();
  rest_ = {};
  socket_->close();
  record_->reason = reason_;
  record_->stop = connection_record::wall_clock::now();
  record_->ended = true;
  log_debug("{} - Client connection closed: {}", log_name(), to_text(reason_));
  self_->send(context_.server, closed_atom::value, record_->client_id);
  self_->send(connection_actor{self_}, end_atom::value);
}

/// A publisher that has seen a subscription of this connection may still be in the middle of its
/// read. The actor outlives its socket until that read's messages are here, so that those of a
/// queue group go on to another member instead of into a dead mailbox.
void connection_state::end_if_done() {
  if (phase_ == phase::closed && retired_) self_->quit();
}

}  // namespace vagus

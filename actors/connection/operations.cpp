#include "actors/authenticator.hpp"
#include "actors/connection/connection.hpp"
#include "net/auth.hpp"
#include "net/log.hpp"
#include "net/subject.hpp"

namespace vagus {

namespace {

/// A bcrypt check may wait for others before it; past this the server is overloaded.
constexpr std::chrono::seconds verdict_patience{30};

}  // namespace

// ---- CONNECT ----

void connection_state::handle_connect(std::string_view json) {
  // What CONNECT does not say stays as it is.
  if (!apply_connect(json, client_)) {
    close(closed_reason::protocol_violation);
    return;
  }
  if (connect_received_ && subscriptions_.size() > 0) {
    settle_own_deliveries();
    // A repeated CONNECT may change who the client is: its subscriptions go.
    std::vector<uint32_t> slots;
    subscriptions_.for_each([&](uint32_t slot, subscription&) { slots.push_back(slot); });
    for (auto slot : slots) remove_subscription(slot);
  }
  connect_received_ = true;
  auth_deadline_ = time_point::max();
  next_ping_ = now() + std::min<std::chrono::nanoseconds>(context_.current->opts.ping_interval,
                                                          std::chrono::seconds{2});
  schedule();
  const auto& opts = context_.current->opts;
  limits_.headers = client_.headers && !opts.no_header_support;
  endpoint_->headers = limits_.headers;
  endpoint_->echo = client_.echo;
  record_->describe({client_.name, client_.lang, client_.version,
                     opts.username.empty() ? std::string{} : client_.user});
  if (needs_credentials(opts))
    authenticate();
  else
    accept_connect();
}

credentials connection_state::presented() const {
  return {client_.user, client_.pass, client_.auth_token};
}

void connection_state::authenticate() {
  authenticated_ = false;
  awaiting_verdict_ = true;
  verify_credentials(context_.current, [this](bool good) {
    awaiting_verdict_ = false;
    if (phase_ != phase::open) return;
    authenticated_ = good;
    if (good) {
      accept_connect();
    } else {
      log_error("{} - authentication error", log_name());
      refuse("Authorization Violation", closed_reason::authentication_violation);
    }
  });
}

/// Tells whether what the client has presented is good: at once, or later where that is costly.
void connection_state::verify_credentials(const settings_ptr& against,
                                          std::function<void(bool)> verdict) {
  const auto& opts = against->opts;
  if (!is_bcrypt(opts.token) && !is_bcrypt(opts.password)) {
    verdict(credentials_match(opts, presented()));
    return;
  }
  self_->request(context_.authenticator, verdict_patience, verify_atom::value, presented(), against)
      .then(
          [this, verdict](bool good) {
            verdict(good);
            resume_reading();
          },
          [this, verdict](const caf::error&) {
            log_error("{} - credentials could not be checked in time", log_name());
            verdict(false);
          });
}

/// The second half of CONNECT, once the client may be here.
void connection_state::accept_connect() {
  if (client_.new_account || !client_.account.empty()) {
    refuse("Authorization Violation", closed_reason::authentication_violation);
  } else if (client_.protocol < 0 || client_.protocol > 1) {
    refuse("invalid client protocol", closed_reason::bad_client_protocol);
  } else if (client_.no_responders && !endpoint_->headers) {
    refuse("no responders requires headers support", closed_reason::no_responders_requires_headers);
  } else if (client_.verbose) {
    send_ok();
  }
}

// ---- SUB and UNSUB ----

void connection_state::handle_sub(const operation& o) {
  const auto& opts = context_.current->opts;
  if (o.sid.size() > UINT16_MAX || o.queue.size() > UINT16_MAX) {
    close(closed_reason::protocol_violation);
    return;
  }
  if (opts.max_sub_tokens > 0 &&
      token_count(o.subject) > static_cast<size_t>(opts.max_sub_tokens)) {
    send_error(fmt::format("Permissions Violation for Subscription to \"{}\", too many tokens",
                           o.subject));
    return;
  }
  if (opts.max_subscriptions > 0 &&
      subscriptions_.size() >= static_cast<size_t>(opts.max_subscriptions)) {
    log_warning("{} - maximum subscriptions of {} exceeded", log_name(), opts.max_subscriptions);
    send_error("maximum subscriptions exceeded");
    return;
  }
  // A subscription with that sid may end with what is on its way to it.
  if (subscriptions_.find(o.sid) != subscription_table::none) settle_own_deliveries();
  if (subscriptions_.find(o.sid) == subscription_table::none) {
    if (!valid_subject(o.subject)) {
      send_error("Invalid Subject");
      return;
    }
    push_change(true, subscriptions_.add(o.subject, o.queue, o.sid));
    set_subscription_count();
  }
  if (client_.verbose) send_ok();
}

void connection_state::handle_unsub(const operation& o) {
  auto slot = subscriptions_.find(o.sid);
  if (slot != subscription_table::none) {
    settle_own_deliveries();
    if (subscriptions_[slot].leaving) return handle_unsub(o);  // ended by what was settled
    auto& s = subscriptions_[slot];
    auto max = static_cast<uint64_t>(o.max);
    if (max > s.delivered)
      s.max = max;
    else
      remove_subscription(slot);
  }
  if (client_.verbose) send_ok();
}

/// The subscription ends now for the client. It still takes what publishers that have their PONG
/// had routed to it: that is in the mailbox before the answer to this change is.
void connection_state::remove_subscription(uint32_t slot) {
  push_change(false, slot);
  subscriptions_.leave(slot);
  leaving_.push_back({changes_made_, slot});
  set_subscription_count();
}

void connection_state::note_applied(uint64_t count) {
  changes_applied_ += count;
  while (!leaving_.empty() && leaving_.front().change <= changes_applied_) {
    subscriptions_.release(leaving_.front().slot);
    leaving_.pop_front();
  }
  if (changes_unapplied() == 0) resume_reading();
}

void connection_state::set_subscription_count() {
  record_->subscriptions.store(subscriptions_.size(), std::memory_order_relaxed);
}

void connection_state::push_change(bool add, uint32_t slot) {
  if (!changes_) changes_ = interest_changes_ptr{new interest_changes{endpoint_}};
  const auto& s = subscriptions_[slot];
  changes_->push({add, slot, s.generation, s.subject(), s.queue(), s.sid()});
  ++changes_made_;
}

void connection_state::send_changes() {
  if (!changes_) return;
  note_activity();
  self_->send(context_.global.space, std::move(changes_),
              subscriber_actor{connection_actor{self_}});
  changes_ = nullptr;
}

subscriptions_view_ptr connection_state::list_subscriptions(const subscription_query& query) {
  auto view = std::make_shared<subscriptions_view>();
  if (query.test.empty()) view->list.reserve(std::min(query.limit, subscriptions_.size()));
  subscriptions_.for_each([&](uint32_t, subscription& s) {
    if (!query.test.empty() && !subject_matches(s.subject(), query.test)) return;
    if (++view->total > query.limit) return;
    view->list.push_back({std::string{s.subject()}, std::string{s.queue()}, std::string{s.sid()},
                          s.delivered, s.max});
  });
  return view;
}

/// Messages and changes of subscriptions count as activity; PING and PONG do not.
void connection_state::note_activity() {
  record_->last_activity_ns.store(context_.wall_time_ns, std::memory_order_relaxed);
}

// ---- PING and PONG ----

void connection_state::handle_ping() {
  finish_routing();  // what was published before is on its way before the PONG
  send_line("PONG\r\n");
  if (!connect_received_ || !connect_info_due_) return;
  connect_info_due_ = false;
  if (client_.protocol >= 1)
    send_line(connect_info_line(context_.current->info, record_->client_id, record_->ip,
                                record_->account));
}

void connection_state::handle_pong() {
  if (pings_out_ > 0)
    record_->rtt_ns.store((now() - ping_sent_).count(), std::memory_order_relaxed);
  pings_out_ = 0;
}

}  // namespace vagus

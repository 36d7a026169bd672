#include "actors/jetstream/pull_queue.hpp"

#include "actors/jetstream/json_text.hpp"
#include "actors/jetstream/pull_status.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vagus {

namespace {

constexpr int64_t tend_interval_ns = 1'000'000'000;

/// `now + wait`, and the last time that there is where that is too much.
int64_t time_after(int64_t now, int64_t wait) {
  int64_t time = 0;
  return __builtin_add_overflow(now, wait, &time) ? INT64_MAX : time;
}

}  // namespace

pull_queue::pull_queue(const consumer_config& config, pull_world world) : world_{std::move(world)} {
  configure(config);
}

void pull_queue::configure(const consumer_config& config) {
  max_waiting_ = config.max_waiting;
  max_batch_ = config.max_batch;
  max_expires_ = config.max_expires;
  max_bytes_ = config.max_bytes;
  policy_ = config.priority_policy;
  groups_ = config.priority_groups;
  priority_timeout_ = config.priority_timeout;
  if (policy_ != priority_policy::pinned_client) unassign_pin();
}

int64_t pull_queue::due_ns(const waiting_request& w) {
  return std::min(w.expires_ns != 0 ? w.expires_ns : INT64_MAX,
                  w.heartbeat_ns > 0 ? w.next_heartbeat_ns : INT64_MAX);
}

std::string pull_queue::refuse(const next_request& r) const {
  if (max_batch_ > 0 && r.batch > max_batch_)
    return fmt::format("409 Exceeded MaxRequestBatch of {}", max_batch_);
  if (max_expires_ > 0 && r.expires > max_expires_)
    return fmt::format("409 Exceeded MaxRequestExpires of {}", go_duration(max_expires_));
  if (max_bytes_ > 0 && r.max_bytes > max_bytes_)
    return fmt::format("409 Exceeded MaxRequestMaxBytes of {}", max_bytes_);
  return r.formal ? refuse_group(r) : std::string{};
}

std::string pull_queue::refuse_group(const next_request& r) const {
  if ((r.min_pending != 0 || r.min_ack_pending != 0) && policy_ != priority_policy::overflow)
    return "400 Bad Request - Not a Overflow Priority consumer";
  if (!r.id.empty() && policy_ != priority_policy::pinned_client)
    return "400 Bad Request - Not a Pinned Client Priority consumer";
  if (r.priority < 0 || r.priority > 9) return "400 Bad Request - Priority must be between 0 and 9";
  if (policy_ == priority_policy::none) return {};
  if (r.group.empty()) return "400 Bad Request - Priority Group missing";
  if (std::find(groups_.begin(), groups_.end(), r.group) == groups_.end())
    return "400 Bad Request - Invalid Priority Group";
  return {};
}

/// A request of the pinned client keeps it pinned; one of a client that was pinned before is
/// refused.
bool pull_queue::refuse_pin(const next_request& r, int64_t now) {
  if (!r.formal || policy_ == priority_policy::none || pin_.empty()) return false;
  if (r.id == pin_) {
    pin_group_ = r.group;
    pin_expires_ns_ = time_after(now, priority_timeout_);
    return false;
  }
  return !r.id.empty();
}

/// Those that do not wait are only taken if there is something for them.
std::string pull_queue::refuse_no_wait(const next_request& r, const pull_standing& standing,
                                       pull_effects& effects) {
  if (!r.no_wait) return {};
  auto pending = standing.num_pending + standing.num_queued;
  if (pending == 0) return r.expires == 0 ? "404 No Messages" : "";
  tend(false, standing, effects);
  if (static_cast<int64_t>(pending) < batch_pending()) return "408 Requests Pending";
  return {};
}

void pull_queue::add(std::string_view reply, std::string_view body, const pull_standing& standing,
                     pull_effects& effects) {
  auto now = standing.now_ns;
  auto answer = [&](std::string_view text) {
    effects.statuses.push_back({std::string{reply}, status_headers(text)});
  };
  next_request r;
  if (auto problem = read_next_request(body, r); !problem.empty())
    return answer(fmt::format("400 Bad Request - {}", problem));
  if (auto text = refuse(r); !text.empty()) return answer(text);
  expire_pin(now, effects);
  if (refuse_pin(r, now)) return answer("423 Nats-Pin-Id mismatch");
  auto full = [this] {
    return waiting_.size() >= static_cast<size_t>(std::max<int64_t>(max_waiting_, 0));
  };
  if (full() && now - last_tended_ns_ > tend_interval_ns) tend(false, standing, effects);
  if (auto text = refuse_no_wait(r, standing, effects); !text.empty()) {
    last_active_ns_ = now;
    return answer(text);
  }
  if (full()) {
    // Who has heartbeats finds out by them, and would only ask again at once.
    if (r.idle_heartbeat <= 0) answer("409 Exceeded MaxWaiting");
    return;
  }
  last_active_ns_ = now;
  waiting_request w;
  w.reply = reply;
  w.batch = r.batch;
  w.max_bytes = r.max_bytes;
  w.no_wait = r.no_wait;
  if (r.expires != 0) w.expires_ns = time_after(now, r.expires);
  if (r.idle_heartbeat > 0) {
    w.heartbeat_ns = r.idle_heartbeat;
    w.next_heartbeat_ns = time_after(now, r.idle_heartbeat);
  }
  w.min_pending = r.min_pending;
  w.min_ack_pending = r.min_ack_pending;
  w.group = std::move(r.group);
  w.id = std::move(r.id);
  if (r.formal) w.priority = r.priority;
  next_ns_ = std::min(next_ns_, due_ns(w));
  auto place = place_for(w);
  waiting_.insert(place, std::move(w));
}

pull_queue::line::iterator pull_queue::place_for(const waiting_request& request) {
  if (policy_ != priority_policy::prioritized) return waiting_.end();
  return std::find_if(waiting_.begin(), waiting_.end(), [&request](const waiting_request& w) {
    return w.priority > request.priority;
  });
}

int64_t pull_queue::batch_pending() const {
  int64_t sum = 0;
  for (const auto& w : waiting_)
    if (__builtin_add_overflow(sum, w.batch, &sum)) return INT64_MAX;
  return sum;
}

pull_queue::turn pull_queue::pin_turn(waiting_request& w, const pull_standing& standing,
                                      pull_effects& effects) {
  if (policy_ != priority_policy::pinned_client) return turn::serve;
  if (!pin_.empty() && w.id == pin_) return turn::serve;
  if (!w.id.empty()) {
    effects.statuses.push_back(
        {w.reply, status_headers("423 Nats-Wrong-Pin-Id", w.batch, w.max_bytes)});
    return turn::end;
  }
  if (!pin_.empty()) return turn::cycle;
  // A request without a group, a bare number, gets its message and is not pinned.
  if (w.group.empty()) return turn::serve;
  pin_ = w.id = world_.new_pin();
  pin_group_ = w.group;
  pinned_ns_ = standing.now_ns;
  pin_expires_ns_ = time_after(standing.now_ns, priority_timeout_);
  effects.pins.push_back({pin_group_, pin_, {}});
  return turn::serve;
}

bool pull_queue::overflow_turn(const waiting_request& w, const pull_standing& standing) const {
  if (policy_ != priority_policy::overflow) return true;
  if (w.min_pending <= 0 && w.min_ack_pending <= 0) return true;
  auto reached = [](int64_t least, uint64_t count) {
    return least > 0 && static_cast<uint64_t>(least) <= count;
  };
  return reached(w.min_pending, standing.num_pending) ||
         reached(w.min_ack_pending, standing.num_ack_pending);
}

pull_queue::turn pull_queue::turn_of(waiting_request& w, const pull_standing& standing,
                                     pull_effects& effects) {
  if (w.expires_ns != 0 && standing.now_ns >= w.expires_ns) {
    effects.statuses.push_back(
        {w.reply, status_headers("408 Request Timeout", w.batch, w.max_bytes)});
    return turn::end;
  }
  if (!world_.interest(w.reply)) return turn::end;
  if (auto t = pin_turn(w, standing, effects); t != turn::serve) return t;
  return overflow_turn(w, standing) ? turn::serve : turn::cycle;
}

bool pull_queue::pick(int64_t size, const pull_standing& standing, pull_effects& effects,
                      picked_request& into) {
  expire_pin(standing.now_ns, effects);
  for (size_t cycled = 0; !waiting_.empty() && cycled < waiting_.size();) {
    auto& w = waiting_.front();
    bool was_pinned = !pin_.empty();
    switch (turn_of(w, standing, effects)) {
      case turn::cycle:
        waiting_.splice(waiting_.end(), waiting_, waiting_.begin());
        ++cycled;
        continue;
      case turn::end:
        waiting_.pop_front();
        continue;
      case turn::serve:
        break;
    }
    if (w.max_bytes <= 0 || size <= w.max_bytes) {
      serve(size, standing, into);
      return true;
    }
    effects.statuses.push_back(
        {w.reply, status_headers("409 Message Size Exceeds MaxBytes", w.batch, w.max_bytes)});
    if (!was_pinned && !pin_.empty()) {
      // It has not been pinned as far as anybody knows.
      effects.pins.pop_back();
      unassign_pin();
    }
    waiting_.pop_front();
  }
  return false;
}

void pull_queue::serve(int64_t size, const pull_standing& standing, picked_request& picked) {
  auto& w = waiting_.front();
  picked.to.assign(w.reply);
  picked.pin.assign(pin_);
  picked.after.to.clear();
  if (w.max_bytes > 0) {
    w.max_bytes -= size;
    if (w.max_bytes == 0) w.batch = 1;  // the bytes are used up: this one is the last
  }
  --w.batch;
  w.served = true;
  if (w.batch <= 0) {
    if (w.max_bytes > 0)
      picked.after = {w.reply, status_headers("409 Batch Completed", w.batch, w.max_bytes)};
    waiting_.pop_front();
    return;
  }
  if (w.heartbeat_ns > 0) w.next_heartbeat_ns = time_after(standing.now_ns, w.heartbeat_ns);
  waiting_.splice(place_for(w), waiting_, waiting_.begin());
}

void pull_queue::tend(bool at_end, const pull_standing& standing, pull_effects& effects) {
  auto now = standing.now_ns;
  last_tended_ns_ = now;
  expire_pin(now, effects);
  next_ns_ = INT64_MAX;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    auto& w = *at;
    bool expired = w.expires_ns != 0 && now >= w.expires_ns;
    bool nothing = at_end && w.no_wait && (w.expires_ns == 0 || w.served);
    if (expired)
      effects.statuses.push_back(
          {w.reply, status_headers("408 Request Timeout", w.batch, w.max_bytes)});
    else if (nothing)
      effects.statuses.push_back({w.reply, status_headers("404 No Messages")});
    if (expired || nothing || !world_.interest(w.reply)) {
      at = waiting_.erase(at);
      continue;
    }
    if (w.heartbeat_ns > 0 && now >= w.next_heartbeat_ns) {
      effects.statuses.push_back(
          {w.reply, heartbeat_headers(standing.last_consumer_seq, standing.last_stream_seq)});
      w.next_heartbeat_ns = time_after(now, w.heartbeat_ns);
    }
    next_ns_ = std::min(next_ns_, due_ns(w));
    ++at;
  }
}

std::optional<int64_t> pull_queue::next_time() const {
  auto next =
      std::min(waiting_.empty() ? INT64_MAX : next_ns_, pin_.empty() ? INT64_MAX : pin_expires_ns_);
  if (next == INT64_MAX) return std::nullopt;
  return next;
}

void pull_queue::end_deleted(pull_effects& effects) {
  for (const auto& w : waiting_)
    effects.statuses.push_back({w.reply, status_headers("409 Consumer Deleted")});
  waiting_.clear();
}

void pull_queue::end_shutdown(pull_effects& effects) {
  for (const auto& w : waiting_)
    effects.statuses.push_back(
        {w.reply, status_headers("409 Server Shutdown", w.batch, w.max_bytes)});
  waiting_.clear();
}

void pull_queue::unpin(const std::string& group, pull_effects& effects) {
  unassign_pin();
  effects.pins.push_back({group, {}, "admin"});
}

void pull_queue::unassign_pin() {
  pin_.clear();
  pinned_ns_ = pin_expires_ns_ = 0;
}

void pull_queue::expire_pin(int64_t now, pull_effects& effects) {
  if (pin_.empty() || now < pin_expires_ns_) return;
  unassign_pin();
  effects.pins.push_back({pin_group_, {}, "timeout"});
}

}  // namespace vagus

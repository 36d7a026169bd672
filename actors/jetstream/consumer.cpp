#include "actors/jetstream/consumer.hpp"

#include "actors/jetstream/advisories.hpp"
#include "actors/jetstream/api_reply.hpp"
#include "actors/supervision.hpp"
#include "net/log.hpp"
#include "net/nuid.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace vagus {

namespace {

/// A consumer of which nobody wants anything is told of no commits after so long, and rests.
constexpr int64_t follow_ns = 5'000'000'000;

}  // namespace

consumer_state::consumer_state(handle::pointer self, loop_context& context, jetstream_context& js,
                               consumer_start start)
    : self_{self},
      context_{context},
      js_{js},
      stream_{std::move(start.stream)},
      name_{std::move(start.name)},
      config_{std::move(start.config)},
      created_ns_{start.created_ns},
      record_{std::move(start.record)},
      retention_{start.retention},
      store_{std::move(start.store)},
      owner_{std::move(start.owner)},
      ledger_{std::move(start.ledger)},
      feed_{config_->filters(), ledger_.last_of_each()},
      pulls_{*config_,
             {[this](std::string_view subject) { return context_.routes.reaches(subject); },
              [] { return make_nuid(); }}},
      ack_head_{fmt::format("$JS.ACK.{}.{}.", stream_, name_)} {
  if (start.creation) early_.push_back(std::move(start.creation));
  if (start.stored) ledger_.take_row();
}

consumer_state::~consumer_state() {
  context_.deadlines.cancel(*this);
}

consumer_actor::behavior_type consumer_state::behavior() {
  supervise(self_);
  active_ns_ = now_ns();
  subscribe();
  if (feed_.needs_lasts(ledger_.next_seq())) find_lasts_apart();
  return {
      [this](const frame_batch_ptr& batch) { take(batch); },
      [this](applied_atom, uint64_t count) {
        client_->note_applied(count);
        if (!client_->settled()) return;
        subscribed_ = true;
        note_started();
      },
      [this](retired_atom) {
        retired_ = true;
        if (phase_ == phase::resting) return end_rest();
        end_if_done();
      },
      [](drain_atom) { return true; },
      [this](api_atom, const consumer_call_ptr& call) { answer(call); },
      [this](following_atom) {
        informed_ = true;
        uncertain_ = true;  // it may have counted before it was told of commits
        recounted_ns_ = 0;
        at_end_ = false;
        if (doubts_lasts()) find_lasts_apart();
      },
      [this](news_atom, const stream_batch_ptr& batch) { note_news(batch); },
      [this](stored_atom, const consumer_change_ptr& change, bool stored) {
        note_stored(change, stored);
      },
      [this](lasts_atom, const last_messages& lasts) { note_lasts(lasts); },
      [this](interest_atom) { look_for_interest(); },
      [this](hand_atom, const frame_batch_ptr& batch) { take_frames(*batch); },
      [this](rest_atom) { rest(); },
      [this](continue_atom) { continuing_ = false; },
      [this](remove_atom) { end(true); },
      [this](end_atom) { end(false); },
  };
}

// ---- the start ----

void consumer_state::subscribe() {
  if (!config().may_rest()) return attach();
  subscribed_ = true;  // its stream is, in its place
  note_started();
}

void consumer_state::attach() {
  if (client_) return;
  client_.emplace(context_, 0);
  client_->start(subscriber_actor{consumer_actor{self_}}, {.lossless = true});
  if (!acked_by_delivery()) client_->subscribe(slot::acks, ack_head_ + '>');
  if (config().push()) {
    if (config().flow_control)
      client_->subscribe(slot::flow, fmt::format("$JS.FC.{}.{}.*", stream_, name_));
    unwanted_since_ns_ = active_ns_;
    caf::anon_send(context_.global.space, watch_atom::value, config().deliver_subject,
                   watcher_actor{consumer_actor{self_}});
  }
  uint32_t next = slot::pulls;
  for (const auto& prefix : js_.api_prefixes())
    client_->subscribe(next++, fmt::format("{}.CONSUMER.MSG.NEXT.{}.{}", prefix, stream_, name_));
  client_->send_changes();
}

/// A long search is not for an event loop.
void consumer_state::find_lasts_apart() {
  if (std::exchange(finding_lasts_, true)) return;
  run_on(js_.workers.next_reader(), [store = store_, filters = config().filters(),
                                     up_to = ledger_.last_of_each(), self = consumer_actor{self_}] {
    last_messages found;
    if (auto snapshot = store->read()) {
      auto lasts = find_lasts(filters, **snapshot, up_to);
      found.state = (*snapshot)->state();
      if (lasts)
        found.seqs = std::make_shared<const std::vector<uint64_t>>(std::move(*lasts));
      else
        log_error("JetStream cannot find the last messages of subjects: {}", lasts.error().text);
    }
    caf::anon_send(self, lasts_atom::value, found);
  });
}

void consumer_state::note_lasts(const last_messages& lasts) {
  finding_lasts_ = false;
  bool first = phase_ == phase::starting;
  if (lasts.seqs)
    feed_.set_lasts(lasts);
  else if (first)
    feed_.set_lasts({std::make_shared<const std::vector<uint64_t>>(), lasts.state});
  if (!first) {
    counted_at_ = none_counted;
    uncertain_ = true;
    recounted_ns_ = 0;
    return answer_early();
  }
  // It has begun nowhere before: the first of them is where it does.
  if (lasts.seqs && ledger_.delivered().consumer == 0) {
    auto bound = ledger_.last_of_each();
    ledger_ = consumer_ledger{rules_of(config(), retention_ == retention_policy::limits),
                              lasts.seqs->empty() ? bound : lasts.seqs->front(), bound};
  }
  note_started();
}

/// It answers from now on; then who created it is told so.
void consumer_state::note_started() {
  if (phase_ != phase::starting || !subscribed_ || feed_.needs_lasts(ledger_.next_seq())) return;
  phase_ = phase::open;
  caf::anon_send(owner_, ready_atom::value, name_);
  answer_early();
  schedule();
}

void consumer_state::answer_early() {
  auto calls = std::move(early_);
  early_.clear();
  for (const auto& call : calls) answer_now(call);
}

/// It was not told of all that was removed, and there is too much to look it up here.
bool consumer_state::doubts_lasts() {
  if (ledger_.next_seq() > ledger_.last_of_each()) return false;
  auto snapshot = store_->read();
  return snapshot && feed_.lasts_in_doubt((*snapshot)->state(), ledger_.next_seq());
}

// ---- requests ----

void consumer_state::respond(const api_request& request, std::string_view body,
                             std::string headers) {
  if (!request.reply.empty()) {
    auto size = headers.empty() ? int64_t{-1} : static_cast<int64_t>(headers.size());
    publishing{context_}.send(request.reply, {}, headers.append(body), size);
  }
  advisories{context_, js_}.audit(request, body, now_ns());
}

void consumer_state::answer(const consumer_call_ptr& call) {
  if (phase_ != phase::starting && phase_ != phase::open) return;
  if (phase_ == phase::starting || finding_lasts_) return early_.push_back(call);
  if (!informed_ && doubts_lasts()) {
    early_.push_back(call);
    return find_lasts_apart();
  }
  answer_now(call);
}

void consumer_state::answer_now(const consumer_call_ptr& call) {
  if (phase_ != phase::open) return;
  switch (call->kind) {
    case consumer_call_kind::create:
      advisories{context_, js_}.consumer_action("CREATED", "create", stream_, name_, now_ns());
      return answer_info(*call);
    case consumer_call_kind::info:
      return answer_info(*call);
    case consumer_call_kind::list:
      return answer_list(*call);
    case consumer_call_kind::update:
    case consumer_call_kind::pause:
      return put_in_force(*call);
    case consumer_call_kind::unpin:
      return answer_unpin(*call);
    case consumer_call_kind::reset:
      return reset(*call);
    case consumer_call_kind::retention:
      return change_retention(call->retention);
  }
}

consumer_info consumer_state::info() {
  if (!informed_ || uncertain_)
    if (auto snapshot = store_->read()) recount(**snapshot);
  consumer_info i;
  i.stream_name = stream_;
  i.name = name_;
  i.config = config_.get();
  i.created_ns = created_ns_;
  i.delivered = ledger_.delivered();
  i.delivered_ns = ledger_.delivered_ns();
  i.ack_floor = ledger_.ack_floor();
  i.acked_ns = ledger_.acked_ns();
  i.num_ack_pending = ledger_.num_ack_pending();
  i.num_redelivered = ledger_.num_redelivered();
  i.num_waiting = pulls_.size();
  i.num_pending = num_pending_;
  i.push_bound = config().push() && wanted_;
  i.pin_id = pulls_.pinned_id();
  i.pinned_ns = pulls_.pinned_ns();
  i.now_ns = now_ns();
  return i;
}

void consumer_state::answer_info(const consumer_call& call) {
  auto type =
      call.kind == consumer_call_kind::info ? "consumer_info_response" : "consumer_create_response";
  respond(call.request, fmt::format("{},{}}}", api_reply_start(type), info_members(info())),
          call.reply_headers);
}

void consumer_state::answer_list(const consumer_call& call) {
  auto mine = info();
  mine.server_metadata = false;
  auto& listing = *call.listing;
  listing.items[call.item] = '{' + info_members(mine) + '}';
  if (listing.missing.fetch_sub(1) > 1) return;
  std::string body = listing.head;
  for (size_t i = 0; i < listing.items.size(); ++i) {
    if (i > 0) body += ',';
    body += listing.items[i];
  }
  respond(call.request, body + "]}");
}

void consumer_state::answer_unpin(const consumer_call& call) {
  consumer_unpin_request asked;
  if (!read_unpin_request(call.request.payload, asked)) pulls_.unpin(asked.group, effects_);
  publish_effects(effects_);
  respond(call.request, api_reply_start("consumer_unpin_response") + "}");
}

/// It begins anew, and says so when that is stored. What was acknowledged before stays so.
void consumer_state::reset(const consumer_call& call) {
  auto to = call.seq > 0 ? call.seq : ledger_.ack_floor().stream + 1;
  ledger_.reset(to);
  feed_.set_filters(config().filters());
  exhausted_.clear();
  spent_.clear();
  tells_state_ = retention_ == retention_policy::interest;
  not_before_ns_ = replayed_ns_ = 0;
  uncertain_ = true;
  counted_at_ = none_counted;
  at_end_ = false;
  answers_.push_back({call.request, fmt::format(R"({},{},"reset_seq":{}}})",
                                                api_reply_start("consumer_reset_response"),
                                                info_members(info()), to)});
}

/// Another configuration, which is stored already.
void consumer_state::put_in_force(const consumer_call& call) {
  auto before = std::exchange(config_, call.config);
  asked_for_rest_ = false;
  if (!config().may_rest()) attach();
  ledger_.change_rules(rules_of(config(), retention_ == retention_policy::limits));
  pulls_.configure(config());
  if (before->filters() != config().filters()) {
    feed_.set_filters(config().filters());
    uncertain_ = true;
    counted_at_ = none_counted;
  }
  if (before->deliver_subject != config().deliver_subject) {
    auto self = watcher_actor{consumer_actor{self_}};
    caf::anon_send(context_.global.space, unwatch_atom::value, before->deliver_subject, self);
    caf::anon_send(context_.global.space, watch_atom::value, config().deliver_subject, self);
    ledger_.expire_all();
    look_for_interest();
  }
  at_end_ = false;
  if (call.kind == consumer_call_kind::pause) {
    advisories{context_, js_}.consumer_paused(stream_, name_, config(), now_ns());
    return respond(call.request, fmt::format("{},{}}}", api_reply_start("consumer_pause_response"),
                                             pause_members(config(), now_ns())));
  }
  answer_info(call);
}

/// The stream keeps messages for other reasons than before.
void consumer_state::change_retention(retention_policy retention) {
  retention_ = retention;
  ledger_.change_rules(rules_of(config(), retention_ == retention_policy::limits));
  done_.clear();  // part of the state that the stream is told
  spent_.clear();
  tells_state_ = retention_ == retention_policy::interest;
}

// ---- the end ----

/// `deleted`: for good. What has changed since the last commit is committed before the end.
void consumer_state::end(bool deleted) {
  if (phase_ == phase::ending || phase_ == phase::ended) return;
  bool subscribed = client_ && phase_ != phase::resting;
  phase_ = phase::ending;
  deleted_ = deleted;
  context_.deadlines.cancel(*this);
  if (deleted) {
    pulls_.end_deleted(effects_);
    for (const auto& a : std::exchange(answers_, {}))
      respond(a.request,
              api_error_reply("consumer_reset_response", make_error(js_errc::consumer_not_found)));
  } else {
    pulls_.end_shutdown(effects_);
  }
  publish_effects(effects_);
  if (config().push())
    caf::anon_send(context_.global.space, unwatch_atom::value, config().deliver_subject,
                   watcher_actor{consumer_actor{self_}});
  unfollow();
  if (subscribed)
    client_->withdraw();
  else if (!client_)
    retired_ = true;
  if (!deleted) flush_changes();
  end_if_done();
}

void consumer_state::end_if_done() {
  if (phase_ == phase::ending && !in_flight_) {
    phase_ = phase::ended;
    store_ = nullptr;
    caf::anon_send(owner_, ended_atom::value, name_);
    owner_ = nullptr;
  }
  if (phase_ == phase::ended && retired_) self_->quit();
}

// ---- time ----

void consumer_state::on_time(time_point) {
  if (phase_ != phase::open) return;
  auto now = now_ns();
  if (!pulls_.empty()) active_ns_ = now;  // until now somebody waited
  if (config().pause_until && !config().paused(now)) at_end_ = false;
  if (auto next = pulls_.next_time(); next && *next <= now) tend();
  if (flush_at_ns_ != 0 && flush_at_ns_ <= now) flush_changes();
  if (heartbeat_at_ns_ != 0 && heartbeat_at_ns_ <= now) send_heartbeat();
  note_idle();
  after_run();
}

/// What is overdue is due at once, also between two looks at the timers: at the start, and for a
/// request that does not wait.
void consumer_state::expire() {
  auto deadline = ledger_.next_deadline();
  if (!deadline) return;
  auto now = now_ns();
  if (*deadline > now) return;
  ledger_.expire(now, exhausted_);
  report_exhausted();
  at_end_ = false;
}

/// Of no use to anybody: at first it is told of no more commits, then it goes.
void consumer_state::note_idle() {
  auto now = now_ns();
  if (!pulls_.empty() || (config().push() && wanted_)) active_ns_ = now;
  auto idle = now - active_ns_;
  if (following_ && idle >= follow_ns && ledger_.num_ack_pending() == 0) unfollow();
  if (idle >= follow_ns && can_rest()) ask_for_rest();
  auto threshold = config().inactive_threshold;
  if (threshold <= 0 || idle < threshold) return;
  if (config().push() && now - unwanted_since_ns_ < threshold) return;
  caf::anon_send(owner_, expired_atom::value, name_);
}

void consumer_state::schedule() {
  if (phase_ != phase::open) return;
  auto now = now_ns();
  int64_t next = INT64_MAX;
  auto want = [&next](int64_t time) { next = std::min(next, time); };
  if (auto deadline = ledger_.next_deadline()) want(*deadline);
  if (auto time = pulls_.next_time()) want(*time);
  if (flush_at_ns_ != 0) want(flush_at_ns_);
  if (heartbeat_at_ns_ != 0) want(heartbeat_at_ns_);
  if (not_before_ns_ > now) want(not_before_ns_);
  if (config().paused(now)) want(*config().pause_until);
  bool of_use = !pulls_.empty() || (config().push() && wanted_);
  if (!of_use && following_) want(std::max(active_ns_ + follow_ns, now + 1'000'000));
  if (client_ && !asked_for_rest_ && can_rest())
    want(std::max(active_ns_ + follow_ns, now + 1'000'000));
  if (!of_use && config().inactive_threshold > 0)
    want(std::max(active_ns_ + config().inactive_threshold, now + 1'000'000));
  if (next == INT64_MAX) return context_.deadlines.cancel(*this);
  auto left = std::chrono::nanoseconds{std::max<int64_t>(next - now, 0)};
  context_.deadlines.schedule(*this, self_->clock().now() + std::min<std::chrono::nanoseconds>(
                                                                left, std::chrono::hours{1}));
}

void consumer_state::after_run() {
  if (phase_ != phase::open) return;
  expire();
  deliver();
  if (ledger_.changed() || !done_.empty() || !ack_replies_.empty() || !answers_.empty()) {
    // What somebody waits for is stored at once; the rest may gather, and waits for a store that
    // has refused it.
    constexpr int64_t patience_ns = 100'000'000;
    bool urgent = tells_state_ || (!done_.empty() && removes_messages());
    if (!ack_replies_.empty() || !answers_.empty() || (urgent && !refused_))
      flush_changes();
    else if (flush_at_ns_ == 0 && !in_flight_)
      flush_at_ns_ = now_ns() + patience_ns;
  }
  if (!client_) attach_or_rest();
  schedule();
}

}  // namespace vagus

#include "actors/jetstream/stream.hpp"
#include "net/log.hpp"

#include <caf/send.hpp>
#include <fmt/compile.h>

#include <iterator>

namespace vagus {

namespace {

/// How long a store that has stopped is left alone before it is tried again.
constexpr std::chrono::seconds retry_interval{1};
/// How long batches may wait to be committed together: for other processes that read.
constexpr std::chrono::milliseconds commit_interval{100};

/// What a publisher is told of a proposal that was not accepted.
api_error error_of(const outcome& o) {
  auto failed = [](const char* text) {
    return make_error(js_errc::stream_store_failed, {{"err", text}});
  };
  switch (o.error) {
    case store_errc::wrong_last_sequence:
      return make_error(js_errc::stream_wrong_last_sequence, {{"seq", std::to_string(o.seq)}});
    case store_errc::wrong_last_msg_id:
      return make_error(js_errc::stream_wrong_last_msg_id, {{"id", o.text}});
    case store_errc::message_too_large:
      return make_error(js_errc::stream_message_exceeds_maximum);
    case store_errc::max_msgs_reached:
      return failed("maximum messages exceeded");
    case store_errc::max_bytes_reached:
      return failed("maximum bytes exceeded");
    case store_errc::max_per_subject_reached:
      return failed("maximum messages per subject exceeded");
    default:
      return failed(to_text(o.error));
  }
}

/// One batch, then the other streams of this storage thread have their turn.
struct commit_job {
  std::shared_ptr<message_store> store;
  std::shared_ptr<commit_queue> commits;
  storage_worker_actor worker;
  stream_actor stream;

  void operator()() const {
    auto batch = commits->take();
    if (!batch) return;
    batch->result = store->append(batch->proposals.bytes());
    caf::anon_send(stream, committed_atom::value, batch);
    commits->linger(more_jobs_wait);
    if (commits->more()) run_on(worker, *this);
  }
};

}  // namespace

/// What a client is told when its stream's store has refused a whole batch.
api_error error_of(const store_error& e) {
  if (e.code == store_errc::no_space) return make_error(js_errc::storage_resources_exceeded);
  auto text = e.text.empty() ? std::string{to_text(e.code)} : e.text;
  return make_error(js_errc::stream_store_failed, {{"err", text}});
}

void stream_state::after_run() {
  commit();
}

/// What has come in this turn goes to the stream's storage thread.
void stream_state::commit() {
  if (!store_ || phase_ == phase::closed) return;
  if (!open_) {
    if (!again_ || handed_over_ > 0) return;
    open_batch();
  }
  again_ = false;
  hand_over();
}

void stream_state::hand_over() {
  last_ = open_;
  ++handed_over_;
  if (commits_->push(std::move(open_)))
    run_on(writer_, commit_job{store_, commits_, writer_, stream_actor{self_}});
}

/// A batch is on the disk, or has failed: what it changes becomes visible, then everybody is told.
void stream_state::settle(const stream_batch_ptr& batch) {
  --handed_over_;
  if (last_ == batch) last_ = nullptr;
  const auto& result = batch->result;
  if (result.error) {
    note_failure(result.error);
  } else {
    record_->put(result.state);
    count_bytes(static_cast<int64_t>(result.state.bytes));
    again_ = result.more;
    if (sync_interval_.count() > 0 && next_sync_ == time_point::max())
      next_sync_ = self_->clock().now() + sync_interval_;
    if (next_commit_ == time_point::max() && store_->uncommitted())
      next_commit_ = self_->clock().now() + commit_interval;
    schedule_expiry(result.next_expiry_ns);
    consumers_.tell(batch);
  }
  commit();  // the disk works on while everybody is told
  if (republish_ && !result.error) republish(*batch);
  acknowledge(*batch);
  outcome failed;
  failed.error = store_errc::stopped;
  for (const auto& call : batch->calls())
    call.then(result.error ? failed : result.outcomes[call.outcome]);
  for (const auto& then : batch->afterwards()) then();
  if (batch->taken > 0) client_.release(batch->taken);
  if (!waiting_for_drain_.empty()) answer_drained();
  close_if_done();
}

void stream_state::acknowledge(const stream_batch& batch) {
  publishing out{context_};
  fmt::basic_memory_buffer<char, 512> text;
  const auto& result = batch.result;
  auto refuse = [&](std::string_view reply, const api_error& why) {
    out.send(reply, {},
             fmt::format(R"({{"error":{},"stream":"{}","seq":0}})", to_json(why), name_));
  };
  batch.for_each_answer([&](std::string_view reply, uint32_t at, const api_error* error) {
    if (at == stream_batch::no_outcome) return refuse(reply, *error);
    if (result.error) return refuse(reply, error_of(why_refused(result.error)));
    const auto& o = result.outcomes[at];
    if (o.error == store_errc::refused && error != nullptr) return refuse(reply, *error);
    if (o.error != store_errc::none) return refuse(reply, error_of(o));
    text.clear();
    fmt::format_to(std::back_inserter(text), FMT_COMPILE("{}{}{}}}"), ack_head_, o.seq,
                   o.duplicate ? ",\"duplicate\": true" : "");
    out.send(reply, {}, {text.data(), text.size()});
  });
}

/// Lets publishers go on once less waits here than made them wait.
void stream_state::answer_drained() {
  if (phase_ == phase::open && !client_.below_low_water()) return;
  for (auto& promise : waiting_for_drain_) promise.deliver(true);
  waiting_for_drain_.clear();
}

// ---- failures ----

/// A store that has stopped says only that; what made it stop is more use to a client.
const store_error& stream_state::why_refused(const store_error& error) const {
  return error.code == store_errc::stopped && stopped_ ? stopped_ : error;
}

/// The store takes nothing until it could be written again; reading goes on.
void stream_state::note_failure(const store_error& error) {
  if (!stopped_ && error.code != store_errc::busy_readers) {
    log_error(
        "JetStream stream '{} > {}' takes no messages: {} ({}). Reading goes on; writing is "
        "tried again every second",
        context_.global.name, name_, to_text(error.code), error.text);
    stopped_ = error;
  }
  if (stopped_ && !retrying_) {
    retrying_ = true;
    next_retry_ = self_->clock().now() + retry_interval;
  }
  schedule();
}

void stream_state::retry() {
  next_retry_ = time_point::max();
  run_on(writer_, [store = store_, self = stream_actor{self_}] {
    caf::anon_send(self, retry_atom::value, store->retry());
  });
}

void stream_state::note_retried(const store_error& error) {
  if (phase_ == phase::closed) return;
  retrying_ = false;
  if (error) {
    note_failure(error);
  } else if (stopped_) {
    log_info("JetStream stream '{} > {}' takes messages again", context_.global.name, name_);
    stopped_ = {};
    again_ = true;  // limits and expiry may have waited
  }
  schedule();
}

// ---- time ----

void stream_state::schedule_expiry(int64_t next_expiry_ns) {
  next_expiry_ = time_point::max();
  if (next_expiry_ns != 0 && !config().sealed) {
    auto left = std::chrono::nanoseconds{std::max<int64_t>(next_expiry_ns - now_ns(), 0)};
    next_expiry_ =
        self_->clock().now() + std::min<std::chrono::nanoseconds>(left, std::chrono::hours{24});
  }
  schedule();
}

void stream_state::schedule() {
  context_.deadlines.schedule(*this,
                              std::min({next_expiry_, next_retry_, next_sync_, next_commit_}));
}

/// What was acknowledged before it was on the disk gets there now.
void stream_state::sync() {
  next_sync_ = time_point::max();
  run_on(writer_, [store = store_, self = stream_actor{self_}] {
    if (auto error = store->sync()) caf::anon_send(self, retry_atom::value, error);
  });
}

void stream_state::commit_rest() {
  next_commit_ = time_point::max();
  run_on(writer_, [store = store_, self = stream_actor{self_}] {
    if (auto error = store->commit()) caf::anon_send(self, retry_atom::value, error);
  });
}

void stream_state::on_time(time_point now) {
  if (phase_ != phase::open) return;
  if (now >= next_retry_) retry();
  if (now >= next_sync_) sync();
  if (now >= next_commit_) commit_rest();
  if (now >= next_expiry_) {
    next_expiry_ = time_point::max();
    if (!stopped_) open_batch().proposals.add(expire_proposal{});
  }
  schedule();
  commit();
}

}  // namespace vagus

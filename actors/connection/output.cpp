#include "actors/connection/connection.hpp"
#include "actors/interest/rcu.hpp"
#include "net/log.hpp"
#include "net/protocol/frame_reader.hpp"

#include <charconv>

namespace vagus {

namespace {

/// Bytes written to one socket before others get their turn.
constexpr size_t write_limit = 1024 * 1024;

}  // namespace

// ---- deliveries ----

void connection_state::take_delivery(const frame_batch& batch) {
  context_.counters.pending.fetch_add(static_cast<int64_t>(batch.total()),
                                      std::memory_order_relaxed);
  if (phase_ != phase::open) {
    for (const auto& run : batch.runs())
      if (run.queue != 0) reroute(batch, run);
    take_from_pending(batch.total());
    return;
  }
  note_activity();
  auto before = outbox_.pending();
  for (const auto& run : batch.runs()) take_run(batch, run);
  note_taken();
  auto taken = outbox_.pending() - before;
  if (taken < batch.total()) take_from_pending(batch.total() - taken);
  if (endpoint_->pending.load(std::memory_order_relaxed) > context_.current->opts.max_pending)
    close_slow(closed_reason::slow_consumer_pending);
}

void connection_state::note_taken() {
  traffic_counters::add(endpoint_->counters.out_msgs, taken_msgs_);
  traffic_counters::add(endpoint_->counters.out_bytes, taken_bytes_);
  taken_msgs_ = taken_bytes_ = 0;
}

void connection_state::take_run(const frame_batch& batch, const frame_run& run) {
  auto* s = subscriptions_.at(run.slot, run.generation);
  if (s == nullptr) {
    if (run.queue != 0) reroute(batch, run);
    return;
  }
  if (s->max != 0 && s->delivered + run.count >= s->max) {
    take_limited(batch, run, *s);
    return;
  }
  if (context_.tracing) trace_frames(batch, run);
  s->delivered += run.count;
  taken_msgs_ += run.count;
  taken_bytes_ += run.bytes;
  outbox_.append(batch, run.begin, run.end);
}

/// Takes the frames that the subscription may still have, one by one; the last one ends it.
void connection_state::take_limited(const frame_batch& batch, const frame_run& run,
                                    subscription& s) {
  frame_reader frames{batch, run};
  while (s.delivered < s.max && frames.next()) {
    s.delivered += 1;
    taken_msgs_ += 1;
    taken_bytes_ += frames.message().body.size();
    outbox_.append(batch, frames.begin(), frames.end());
  }
  if (s.delivered >= s.max && !s.leaving) {
    remove_subscription(run.slot);
    send_changes();
  }
  if (run.queue == 0) return;
  while (frames.next()) {
    snapshot_guard guard;
    context_.routes.republish(frames.message(), run.queue);
    finish_rerouting();
  }
}

/// A queue group's message for a subscription that is gone goes to another member.
void connection_state::reroute(const frame_batch& batch, const frame_run& run) {
  snapshot_guard guard;
  frame_reader frames{batch, run};
  while (frames.next()) context_.routes.republish(frames.message(), run.queue);
  finish_rerouting();
}

void connection_state::finish_rerouting() {
  std::vector<router::pressure> over;
  context_.routes.flush(nullptr, context_.loop, INT64_MAX, over);
}

// ---- protocol lines ----

void connection_state::send_line(std::string_view line) {
  if (phase_ != phase::open) return;
  if (context_.tracing) trace_line(line);
  outbox_.append(line);
  endpoint_->pending.fetch_add(static_cast<int64_t>(line.size()), std::memory_order_relaxed);
  context_.counters.pending.fetch_add(static_cast<int64_t>(line.size()), std::memory_order_relaxed);
}

void connection_state::send_ok() {
  send_line("+OK\r\n");
}

void connection_state::send_error(std::string_view text) {
  send_line(fmt::format("-ERR '{}'\r\n", text));
  log_debug("{} - sent error: {}", log_name(), text);
}

// ---- writing ----

void connection_state::after_run() {
  write_out();
}

void connection_state::on_writable() {
  awaiting_writable_ = false;
  write_out();
}

void connection_state::take_from_pending(size_t bytes) {
  endpoint_->pending.fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  context_.counters.pending.fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
}

void connection_state::write_out() {
  if (phase_ == phase::closed || awaiting_writable_) return;
  if (!outbox_.empty()) {
    auto result = outbox_.flush(*socket_, write_limit);
    note_written(result.bytes);
    if (result.state == io_result::kind::failed || result.state == io_result::kind::closed) {
      if (phase_ == phase::open) reason_ = closed_reason::write_error;
      close(reason_, true);
      return;
    }
  }
  if (!outbox_.empty()) {
    awaiting_writable_ = true;
    socket_->await_writable();
    return;
  }
  if (phase_ == phase::lingering && !write_side_closed_) {
    write_side_closed_ = true;
    socket_->close_write();
    if (!awaiting_readable_) discard_input();
  }
}

void connection_state::note_written(size_t bytes) {
  if (bytes > 0) take_from_pending(bytes);
  auto deadline = write_deadline_;
  if (outbox_.empty())
    write_deadline_ = time_point::max();
  else if (bytes > 0 || write_deadline_ == time_point::max())
    write_deadline_ = now() + context_.current->opts.write_deadline;
  if (write_deadline_ < deadline) schedule();
  if (!waiting_for_drain_.empty()) answer_drained();
}

/// Lets stalled producers go on once half of what stalled them is written.
void connection_state::answer_drained() {
  auto low_water = context_.current->opts.max_pending / 32;
  if (phase_ == phase::open && endpoint_->pending.load(std::memory_order_relaxed) > low_water)
    return;
  for (auto& promise : waiting_for_drain_) promise.deliver(true);
  waiting_for_drain_.clear();
}

/// Ends a client that does not keep up. What has not been written yet is dropped, but for the frame
/// that is half on the wire, so that the -ERR is readable if the client reads on.
void connection_state::close_slow(closed_reason reason) {
  if (phase_ != phase::open) return;
  context_.counters.slow_consumers.fetch_add(1, std::memory_order_relaxed);
  log_warning("{} - Slow Consumer Detected: {}, {} bytes pending", log_name(), to_text(reason),
              endpoint_->pending.load());
  auto dropped = outbox_.drop_unstarted();
  take_from_pending(dropped);
  refuse("Slow Consumer", reason);
}

}  // namespace vagus

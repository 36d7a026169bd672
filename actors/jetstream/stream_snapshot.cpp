#include "actors/jetstream/stream_snapshot.hpp"

#include "actors/jetstream/advisories.hpp"
#include "actors/jetstream/api_reply.hpp"
#include "actors/jetstream/stream_info.hpp"
#include "actors/supervision.hpp"
#include "net/log.hpp"
#include "net/nuid.hpp"
#include "net/options/units.hpp"
#include "net/protocol/frame_reader.hpp"

#include <caf/send.hpp>
#include <fmt/chrono.h>

#include <algorithm>

namespace vagus {

namespace {

// nats-server's
constexpr int64_t default_chunk = 128 * 1024;
constexpr int64_t default_window = 8 * 1024 * 1024;
constexpr int64_t smallest_chunk = 1024;
constexpr int64_t largest_chunk = 1024 * 1024;
constexpr int64_t largest_window = 32 * 1024 * 1024;
constexpr std::chrono::seconds ack_timeout{5};
constexpr std::chrono::seconds interest_timeout{2};

/// How often it is looked for somebody to send to.
constexpr std::chrono::milliseconds look_interval{100};
/// What one job of a storage thread reads at most.
constexpr size_t bytes_per_read = size_t{1} << 20;

constexpr std::string_view snapshot_response = "stream_snapshot_response";

}  // namespace

stream_snapshot_state::stream_snapshot_state(handle::pointer self, loop_context& context,
                                             jetstream_context& js, snapshot_start start)
    : self_{self},
      context_{context},
      js_{js},
      id_{start.id},
      stream_{std::move(start.stream)},
      config_{std::move(start.config)},
      consumers_{start.consumers},
      request_{std::move(start.request)},
      asked_{std::move(start.asked)},
      archive_{std::make_shared<archive_writer>(std::move(start.store), !asked_.no_consumers)},
      worker_{js.workers.next_copier()},
      client_{context, 0},
      ack_subject_{fmt::format("$JS.SNAPSHOT.ACK.{}.{}", stream_, make_nuid())} {
  auto chunk = asked_.chunk_size == 0 ? default_chunk : asked_.chunk_size;
  auto window = asked_.window_size == 0 ? default_window : asked_.window_size;
  chunk = std::clamp(chunk, smallest_chunk, largest_chunk);
  window = std::max(std::clamp(window, smallest_chunk, largest_window), chunk);
  chunk_size_ = static_cast<size_t>(chunk);
  window_ = free_ = static_cast<size_t>(window / chunk);
}

stream_snapshot_state::~stream_snapshot_state() {
  context_.deadlines.cancel(*this);
}

stream_snapshot_actor::behavior_type stream_snapshot_state::behavior() {
  supervise(self_);
  start();
  return {
      [this](const frame_batch_ptr& batch) { take_acks(*batch); },
      [this](applied_atom, uint64_t count) {
        client_.note_applied(count);
        begin_if_ready();
      },
      [this](retired_atom) {
        retired_ = true;
        quit_if_done();
      },
      [](drain_atom) { return true; },
      [this](answer_atom, const snapshot_step_ptr& step) { note_read(*step); },
      [this](end_atom) { end(); },
  };
}

void stream_snapshot_state::start() {
  log_info("Starting snapshot for stream '{} > {}'", context_.global.name, stream_);
  start_ns_ = now_ns();
  client_.start(subscriber_actor{stream_snapshot_actor{self_}}, {});
  client_.subscribe(0, ack_subject_ + ".>");
  client_.send_changes();
  reading_ = true;
  run_on(worker_, [archive = archive_, self = stream_snapshot_actor{self_}] {
    auto step = std::make_shared<snapshot_step>();
    step->error = archive->start();
    caf::anon_send(self, answer_atom::value, snapshot_step_ptr{step});
  });
}

void stream_snapshot_state::note_read(const snapshot_step& step) {
  reading_ = false;
  if (phase_ == phase::ended) return;
  if (phase_ == phase::sending) return send(step);
  if (step.error) return refuse(step.error);
  started_ = true;
  begin_if_ready();
}

void stream_snapshot_state::refuse(const store_error& error) {
  auto text = error.text.empty() ? std::string{to_text(error.code)} : error.text;
  log_warning("Snapshot of stream '{} > {}' failed: {}", context_.global.name, stream_, text);
  auto body =
      api_error_reply(snapshot_response, make_error(js_errc::stream_snapshot, {{"err", text}}));
  js_.api_errors.fetch_add(1, std::memory_order_relaxed);
  publishing{context_}.send(request_.reply, {}, body);
  advisories{context_, js_}.audit(request_, body, now_ns());
  end();
}

/// The client is told what comes, once its acknowledgements would be heard.
void stream_snapshot_state::begin_if_ready() {
  if (phase_ != phase::starting || !started_ || !client_.settled()) return;
  auto body = fmt::format(R"({},"config":{},"state":{}}})", api_reply_start(snapshot_response),
                          to_json(*config_),
                          to_json(archive_->state(), {}, static_cast<int64_t>(consumers_)));
  publishing{context_}.send(request_.reply, {}, body);
  advisories events{context_, js_};
  events.audit(request_, body, now_ns());
  events.snapshot_created(stream_, archive_->state(), consumers_, request_, now_ns());
  phase_ = phase::waiting;
  deadline_ = self_->clock().now() + interest_timeout;
  go_on();
}

bool stream_snapshot_state::is_wanted() {
  return publishing{context_}.is_wanted(asked_.deliver_subject);
}

void stream_snapshot_state::take_acks(const frame_batch& batch) {
  client_.take(batch);
  for (const auto& run : batch.runs()) free_ = std::min<size_t>(window_, free_ + run.count);
  client_.release(batch.total());
  if (phase_ == phase::sending) go_on();
}

/// Reads what may be sent, or waits until something may be.
void stream_snapshot_state::go_on() {
  auto now = self_->clock().now();
  if (phase_ == phase::waiting) {
    if (!is_wanted() && now < deadline_)
      return context_.deadlines.schedule(*this, now + look_interval);
    phase_ = phase::sending;
    deadline_ = now + ack_timeout;
  }
  if (phase_ != phase::sending || reading_) return;
  if (sent_ > 0 && !is_wanted()) return finish("408 No Interest", "no interest");
  if (free_ == 0 && now >= deadline_) return finish("408 No Flow Response", "no flow response");
  if (free_ == 0) return context_.deadlines.schedule(*this, deadline_);
  read(std::min(free_, std::max<size_t>(bytes_per_read / chunk_size_, 1)));
}

void stream_snapshot_state::on_time(time_point) {
  go_on();
}

void stream_snapshot_state::read(size_t chunks) {
  reading_ = true;
  run_on(worker_, [=, archive = archive_, size = chunk_size_, self = stream_snapshot_actor{self_}] {
    auto step = std::make_shared<snapshot_step>();
    while (step->chunks.size() < chunks) {
      auto bytes = archive->read(size);
      if (!bytes) {
        step->error = bytes.error();
        break;
      }
      step->chunks.push_back(std::move(*bytes));
      if (step->chunks.back().size() < size) break;
    }
    caf::anon_send(self, answer_atom::value, snapshot_step_ptr{step});
  });
}

void stream_snapshot_state::send(const snapshot_step& step) {
  bool last = false;
  {
    publishing out{context_};
    for (const auto& chunk : step.chunks) {
      last = chunk.size() < chunk_size_;
      if (chunk.empty()) break;
      auto ack =
          last ? std::string{} : fmt::format("{}.{}.{}", ack_subject_, chunk.size(), ++sent_);
      if (!last) --free_;
      out.send(asked_.deliver_subject, ack, chunk);
    }
  }
  deadline_ = self_->clock().now() + ack_timeout;
  if (step.error) {
    auto text = step.error.text.empty() ? std::string{to_text(step.error.code)} : step.error.text;
    return finish(fmt::format("500 {}", text), text);
  }
  // As nats-server: a snapshot of less than a chunk ends without a status.
  if (last) return finish(sent_ > 0 ? "204" : "", {});
  go_on();
}

void stream_snapshot_state::finish(std::string_view status, std::string error) {
  auto block = status.empty() ? std::string{} : fmt::format("NATS/1.0 {}\r\n\r\n", status);
  auto header_size = block.empty() ? -1 : static_cast<int64_t>(block.size());
  publishing{context_}.send(asked_.deliver_subject, {}, block, header_size);
  advisories{context_, js_}.snapshot_completed(stream_, request_, start_ns_, now_ns(), error);
  std::chrono::nanoseconds took{now_ns() - start_ns_};
  if (error.empty())
    log_info("Completed snapshot of {} for stream '{} > {}' in {}",
             friendly_bytes(archive_->state().bytes), context_.global.name, stream_,
             std::chrono::duration_cast<std::chrono::milliseconds>(took));
  else
    log_warning("Snapshot for stream '{} > {}' failed after {}: {}", context_.global.name, stream_,
                std::chrono::duration_cast<std::chrono::milliseconds>(took), error);
  end();
}

void stream_snapshot_state::end() {
  if (phase_ == phase::ended) return;
  phase_ = phase::ended;
  context_.deadlines.cancel(*this);
  client_.withdraw();
}

void stream_snapshot_state::quit_if_done() {
  if (phase_ != phase::ended || !retired_) return;
  caf::anon_send(js_.api, finished_atom::value, id_);
  self_->quit();
}

}  // namespace vagus

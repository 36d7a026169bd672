#include "actors/jetstream/stream_restore.hpp"

#include "actors/jetstream/advisories.hpp"
#include "actors/jetstream/api_reply.hpp"
#include "actors/supervision.hpp"
#include "net/log.hpp"
#include "net/nuid.hpp"
#include "net/protocol/frame_reader.hpp"
#include "storage/lmdb_store.hpp"
#include "storage/memory_store.hpp"

#include <caf/send.hpp>

#include <filesystem>

namespace vagus {

namespace fs = std::filesystem;

namespace {

/// nats-server's: a client that sends nothing for so long has gone.
constexpr std::chrono::seconds restore_timeout{5};

std::string failure_text(const store_error& error) {
  return error.text.empty() ? std::string{to_text(error.code)} : error.text;
}

}  // namespace

/// Of the actor until a job has it, of the storage thread then; jobs come one after the other.
struct stream_restore_state::work {
  stream_config_ptr config;
  fs::path directory;  ///< temporary, for a stream on the disk
  int64_t room = 0;    ///< bytes that the stream may take
  archive_limits limits;
  int64_t now_ns = 0;
  std::shared_ptr<message_store> store;
  std::unique_ptr<archive_reader> reader;
  std::optional<api_error> error;

  bool in_memory() const { return config->storage == storage_type::memory; }

  void fail(const store_error& why) {
    error = why.code == store_errc::no_space
                ? make_error(js_errc::storage_resources_exceeded)
                : make_error(js_errc::stream_restore, {{"err", failure_text(why)}});
  }

  /// Not durable yet: a crash in the middle leaves nothing that anybody counts on.
  void open() {
    if (in_memory()) {
      store = std::make_shared<memory_store>(config->name);
    } else {
      lmdb_store_options how;
      how.sync = false;
      auto opened = lmdb_store::open(directory / "growing", config->name, how);
      if (!opened) return fail(opened.error());
      store = std::move(*opened);
    }
    reader = std::make_unique<archive_reader>(*store, limits, now_ns);
  }

  void take(std::string_view chunk) {
    if (!store && !error) open();
    if (error) return;
    if (auto why = reader->take(chunk)) return fail(why);
    auto snapshot = store->read();
    if (!snapshot) return fail(snapshot.error());
    if ((*snapshot)->state().bytes > static_cast<uint64_t>(room))
      error = make_error(in_memory() ? js_errc::memory_resources_exceeded
                                     : js_errc::storage_resources_exceeded);
  }

  /// What is on the disk becomes durable as a copy, which is compact besides.
  void finish() {
    if (!store && !error) open();
    if (error) return;
    if (auto why = reader->finish()) return fail(why);
    reader = nullptr;
    if (in_memory()) return;
    auto* files = dynamic_cast<lmdb_store*>(store.get());
    if (auto why = files->copy(directory / "whole", true, {})) fail(why);
    store = nullptr;
  }
};

stream_restore_state::stream_restore_state(handle::pointer self, loop_context& context,
                                           jetstream_context& js, restore_start start)
    : self_{self},
      context_{context},
      js_{js},
      id_{start.id},
      config_{std::move(start.config)},
      request_{std::move(start.request)},
      work_{std::make_shared<work>()},
      worker_{js.workers.next_copier()},
      client_{context, 0} {
  auto id = make_nuid();
  deliver_subject_ = fmt::format("$JS.SNAPSHOT.RESTORE.{}.{}", config_->name, id);
  start_ns_ = now_ns();
  work_->config = config_;
  if (!work_->in_memory()) work_->directory = js.store_dir / fmt::format(".restore-{}", id);
  work_->room = js.room(config_->storage);
  work_->now_ns = start_ns_;
  auto largest = context.current->opts.max_payload;
  if (config_->max_msg_size > 0) largest = std::min<int64_t>(largest, config_->max_msg_size);
  work_->limits = {static_cast<uint64_t>(largest), config_->duplicate_window,
                   config_->compression == compression_type::s2};
}

stream_restore_state::~stream_restore_state() {
  context_.deadlines.cancel(*this);
}

stream_restore_actor::behavior_type stream_restore_state::behavior() {
  supervise(self_);
  start();
  return {
      [this](const frame_batch_ptr& batch) { take(*batch); },
      [this](applied_atom, uint64_t count) {
        client_.note_applied(count);
        begin_if_ready();
      },
      [this](retired_atom) {
        retired_ = true;
        quit_if_done();
      },
      [this](drain_atom) {
        auto promise = self_->make_response_promise<bool>();
        if (in_progress_ == 0)
          promise.deliver(true);
        else
          waiting_for_drain_.push_back(promise);
        return promise;
      },
      [this](answer_atom, const restore_step_ptr& step) { note_stored(*step); },
      [this](end_atom) { end(); },
  };
}

void stream_restore_state::start() {
  log_info("Starting restore for stream '{} > {}'", context_.global.name, config_->name);
  advisories{context_, js_}.restore_created(config_->name, request_, start_ns_);
  client_.start(subscriber_actor{stream_restore_actor{self_}}, {.lossless = true});
  client_.subscribe(0, deliver_subject_);
  client_.send_changes();
}

/// The client is told where to send to, once it would be heard there.
void stream_restore_state::begin_if_ready() {
  if (phase_ != phase::starting || !client_.settled()) return;
  phase_ = phase::receiving;
  auto body = fmt::format(R"({},"deliver_subject":"{}"}})",
                          api_reply_start("stream_restore_response"), deliver_subject_);
  publishing{context_}.send(request_.reply, {}, body);
  advisories{context_, js_}.audit(request_, body, now_ns());
  wait_for_more();
}

// ---- chunks ----

void stream_restore_state::take(const frame_batch& batch) {
  client_.take(batch);
  auto left = batch.total();
  for (const auto& run : batch.runs()) {
    frame_reader frames{batch, run};
    while (phase_ == phase::receiving && frames.next()) {
      left -= frames.message().body.size();  // released when it is stored
      take_chunk(frames.message());
    }
  }
  client_.release(left);
}

void stream_restore_state::take_chunk(const message_view& chunk) {
  restore_step step;
  step.reply = chunk.reply;
  step.bytes = chunk.body.size();
  step.last = chunk.payload().empty();
  ++in_progress_;
  if (chunk.reply.empty()) {
    note_stored(step);
    return give_up("a chunk came without a reply subject");
  }
  bytes_ += chunk.payload().size();
  if (step.last) phase_ = phase::finishing;
  run_on(worker_, [work = work_, step, payload = std::string{chunk.payload()},
                   self = stream_restore_actor{self_}] {
    step.last ? work->finish() : work->take(payload);
    caf::anon_send(self, answer_atom::value,
                   restore_step_ptr{std::make_shared<restore_step>(step)});
  });
}

void stream_restore_state::note_stored(const restore_step& step) {
  client_.release(step.bytes);
  if (--in_progress_ == 0) {
    for (auto& promise : waiting_for_drain_) promise.deliver(true);
    waiting_for_drain_.clear();
  }
  if (phase_ == phase::ended) return quit_if_done();
  if (step.last && !step.reply.empty()) return hand_over(step.reply);
  if (!step.reply.empty()) publishing{context_}.send(step.reply, {}, {});
  if (phase_ == phase::receiving) wait_for_more();
}

void stream_restore_state::wait_for_more() {
  context_.deadlines.schedule(*this, self_->clock().now() + restore_timeout);
}

void stream_restore_state::on_time(time_point) {
  if (phase_ != phase::receiving) return;
  if (in_progress_ > 0) return wait_for_more();
  log_warning("Restore for stream '{} > {}' is stalled", context_.global.name, config_->name);
  end();
}

// ---- the end ----

void stream_restore_state::give_up(std::string_view why) {
  log_warning("Restore for stream '{} > {}' failed: {}", context_.global.name, config_->name, why);
  advisories{context_, js_}.restore_completed(config_->name, request_, bytes_, start_ns_, now_ns());
  end();
}

/// From here on the directory is the JetStream API's.
void stream_restore_state::hand_over(std::string reply) {
  auto all = std::make_shared<restored_stream>();
  all->config = config_;
  all->request = request_;
  all->reply = std::move(reply);
  all->start_ns = start_ns_;
  all->bytes = bytes_;
  all->error = work_->error;
  all->directory = std::exchange(work_->directory, {});
  if (!work_->error && work_->in_memory()) all->store = work_->store;
  if (!work_->error && !work_->in_memory()) all->adopt = all->directory / "whole";
  caf::anon_send(js_.api, restored_atom::value, restored_stream_ptr{all});
  end();
}

void stream_restore_state::end() {
  if (phase_ == phase::ended) return;
  phase_ = phase::ended;
  context_.deadlines.cancel(*this);
  run_on(worker_, [work = std::move(work_)] {
    work->reader = nullptr;
    work->store = nullptr;
    std::error_code ignored;  // the next start tries again
    if (!work->directory.empty()) fs::remove_all(work->directory, ignored);
  });
  client_.withdraw();
}

void stream_restore_state::quit_if_done() {
  if (phase_ != phase::ended || !retired_ || in_progress_ > 0) return;
  caf::anon_send(js_.api, finished_atom::value, id_);
  self_->quit();
}

}  // namespace vagus

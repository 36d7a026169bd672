#include "actors/jetstream/stream.hpp"

#include "actors/jetstream/asset_row.hpp"
#include "actors/jetstream/stream_directory.hpp"
#include "actors/jetstream/stream_reader.hpp"
#include "actors/pinned_actor.hpp"
#include "actors/supervision.hpp"
#include "net/log.hpp"
#include "storage/lmdb_store.hpp"
#include "storage/memory_store.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

namespace vagus {

namespace fs = std::filesystem;

stream_state::stream_state(handle::pointer self, loop_context& context, jetstream_context& js,
                           stream_start start)
    : self_{self},
      context_{context},
      js_{js},
      name_{std::move(start.name)},
      record_{std::move(start.record)},
      config_{record_->look().config},
      store_{std::move(start.store)},
      writer_{js.workers.next_writer()},
      client_{context, 0},
      restored_{start.restored},
      adopt_{std::move(start.adopt)},
      commits_{std::make_shared<commit_queue>(context.current->opts.idle_poll)} {
  sync_interval_ = sync_interval_of(config(), js.sync_interval);
  make_transforms();
  if (!js.domain.empty()) domain_prefix_ = fmt::format("$JS.{}.API.", js.domain);
  auto domain = js.domain.empty() ? "" : fmt::format(R"("domain":"{}",)", js.domain);
  ack_head_ = fmt::format(R"({{"stream":"{}",{}"seq":)", name_, domain);
}

std::chrono::nanoseconds sync_interval_of(const stream_config& config,
                                          std::chrono::nanoseconds of_server) {
  // As often as the server's other streams, if they are not synced all the time either.
  constexpr std::chrono::seconds async_interval{1};
  bool async = config.persist_mode == persist_mode_type::async;
  return async && of_server.count() == 0 ? async_interval : of_server;
}

stream_state::~stream_state() {
  context_.deadlines.cancel(*this);
}

stream_actor::behavior_type stream_state::behavior() {
  supervise(self_);
  client_.start(subscriber_actor{stream_actor{self_}}, {.lossless = true});
  open();
  return {
      [this](const frame_batch_ptr& batch) { take(batch); },
      [this](applied_atom, uint64_t count) {
        client_.note_applied(count);
        consumers_.note_applied();
        note_settled();
      },
      [this](retired_atom) {
        retired_ = true;
        end_if_done();
      },
      [this](drain_atom) {
        auto promise = self_->make_response_promise<bool>();
        waiting_for_drain_.push_back(promise);
        answer_drained();
        return promise;
      },
      [this](api_atom, const stream_call_ptr& request) { answer(request); },
      [this](configure_atom, const stream_config_ptr& next) { configure(next); },
      [this](opened_atom, const opened_store_ptr& opened) { note_opened(*opened); },
      [this](committed_atom, const stream_batch_ptr& batch) { settle(batch); },
      [this](retry_atom, const store_error& error) { note_retried(error); },
      [this](remove_atom) { end(true); },
      [this](end_atom) { end(false); },
      [this](closed_atom, const store_error& error) { note_closed(error); },
      [this](answer_atom, const api_answer_ptr& answer) { respond(answer->call, answer->body); },
      [this](ready_atom) {
        --readers_awaited_;
        note_settled();
      },
      [this](ended_atom) {
        --readers_;
        close_if_done();
      },
      [this](ready_atom, const std::string& consumer) {
        consumers_.note_ready(consumer);
        note_settled();
      },
      [this](ended_atom, const std::string& consumer) { consumers_.note_ended(consumer); },
      [this](follow_atom, const std::string& consumer, bool follow) {
        consumers_.follow(consumer, follow);
      },
      [this](rows_atom, const consumer_change_ptr& change) { consumers_.commit(change); },
      [this](sourced_atom, const sourced_ptr& messages) { take_sourced(messages); },
      [this](following_atom) {
        caught_up_ = true;
        serve_origin();
      },
      [this](expired_atom, const std::string& consumer) { consumers_.note_expired(consumer); },
      [this](rest_atom, const std::string& consumer) { consumers_.let_rest(consumer); },
      [this](rested_atom, const std::string& consumer, bool rests) {
        consumers_.note_rested(consumer, rests);
      },
      [this](hand_atom, const frame_batch_ptr& batch) {
        for (const auto& run : batch->runs()) consumers_.take(*batch, run);
      },
  };
}

// ---- the start ----

namespace {

struct store_opening {
  std::string name;
  fs::path directory;
  fs::path adopt;
  std::shared_ptr<message_store> store;
  bool memory = false;
  bool sync = true;
  bool placed = false;  ///< what is in `directory` was adopted
};

/// What was restored has its configuration before it has its place: whenever a crash comes, there
/// is a whole stream, or none and its name is free.
store_error adopt(store_opening& from, const lmdb_store_options& how,
                  std::string_view configuration) {
  {
    auto opened = lmdb_store::open(from.adopt, from.name, how);
    if (!opened) return opened.error();
    if (auto applied = (*opened)->append(configuration); applied.error) return applied.error;
  }
  std::error_code code;
  fs::rename(from.adopt, from.directory, code);
  if (code) return {store_errc::io_error, 0, from.directory.string() + ": " + code.message()};
  from.placed = true;
  return keep_names(from.directory.parent_path());
}

store_error make_store(store_opening& from, std::string_view configuration) {
  if (from.memory && !from.store)
    from.store = std::make_shared<memory_store>(from.name, memory_store_options{true});
  if (from.store) return from.store->append(configuration).error;
  lmdb_store_options how;
  how.sync_each_batch = from.sync;
  how.report_removed = true;
  if (!from.adopt.empty())
    if (auto error = adopt(from, how, configuration)) return error;
  auto opened = lmdb_store::open(from.directory, from.name, how);
  if (!opened) return opened.error();
  from.store = std::move(*opened);
  return from.placed ? store_error{} : from.store->append(configuration).error;
}

/// The store with its configuration, or nothing.
store_error open_store(store_opening& from, std::string_view configuration) {
  auto error = make_store(from, configuration);
  if (!error) return {};
  from.store = nullptr;
  // The client has what it wanted to restore; here nobody was told that it is there.
  std::error_code ignored;
  if (from.placed) fs::remove_all(from.directory, ignored);
  return error;
}

}  // namespace

/// Makes the store, with the configuration as its first batch, unless it was there before.
void stream_state::open() {
  if (store_ && !restored_) {
    subscribe();
    return;
  }
  batch_builder first{now_ns()};
  auto row = write_asset_row(record_->created_ns, to_json(config()));
  first.add(configure_proposal{limits_of(config()), row});
  store_opening what{name_, js_.store_dir / name_, std::move(adopt_), std::move(store_)};
  what.memory = config().storage == storage_type::memory;
  what.sync = sync_interval_.count() == 0;
  run_on(writer_, [what = std::make_shared<store_opening>(std::move(what)),
                   batch = std::string{first.bytes()}, self = stream_actor{self_}] {
    auto answer = std::make_shared<opened_store>();
    answer->error = open_store(*what, batch);
    answer->store = std::move(what->store);
    caf::anon_send(self, opened_atom::value, opened_store_ptr{answer});
  });
}

void stream_state::note_opened(const opened_store& opened) {
  if (opened.error) {
    log_error("JetStream stream '{} > {}' cannot be made: {} ({})", context_.global.name, name_,
              to_text(opened.error.code), opened.error.text);
    bool withdrawn = phase_ == phase::ending;
    phase_ = phase::closed;
    caf::anon_send(js_.api, opened_atom::value, stream_outcome{name_, opened.error});
    if (!withdrawn) client_.withdraw();
    end_if_done();
    return;
  }
  store_ = opened.store;
  if (phase_ == phase::ending) return close_store();
  subscribe();
}

void stream_state::subscribe() {
  store_->commit_together([writer = writer_, store = std::weak_ptr{store_}] {
    run_on(writer, [store] {
      if (auto open = store.lock()) open->commit();
    });
  });
  record_->put(store_);
  if (auto snapshot = store_->read()) {
    record_->put((*snapshot)->state());
    count_bytes(static_cast<int64_t>((*snapshot)->state().bytes));
    limits_differ_ = (*snapshot)->meta().limits != limits_of(config());
    for (const auto& wrong : consumers_.recover(**snapshot))
      log_error("JetStream stream '{} > {}' goes on without a part of it: {}", context_.global.name,
                name_, wrong);
  }
  if (config().allow_direct) start_readers(own_readers_, name_);
  for (const auto& subject : config().subjects) subscribe_to(subject);
  reconfigured_ = false;
  subjects_asked_ = client_.asked();
  client_.send_changes();
  note_settled();
}

/// Clients that use a domain publish to buckets under the prefix of its API.
void stream_state::subscribe_to(const std::string& subject) {
  client_.subscribe(next_slot_, subject);
  slots_.emplace_back(subject, next_slot_++);
  if (domain_prefix_.empty() || !(subject.starts_with("$KV.") || subject.starts_with("$OBJ.")))
    return;
  client_.subscribe(next_slot_, domain_prefix_ + subject);
  slots_.emplace_back(subject, next_slot_++);
}

/// Keeps the sum of all streams right.
void stream_state::count_bytes(int64_t held) {
  if (held == counted_) return;
  js_.used(config().storage).fetch_add(held - counted_, std::memory_order_relaxed);
  counted_ = held;
}

/// Everybody sees its subscriptions as they are now, once all changes are in force.
void stream_state::note_settled() {
  if (readers_awaited_ > 0 || !consumers_.settled()) return;
  if (client_.applied() < subjects_asked_) return;
  if (phase_ == phase::opening) {
    phase_ = phase::open;
    if (std::exchange(limits_differ_, false)) repeat_limits();
    // What has expired while nobody looked goes now.
    open_batch().proposals.add(expire_proposal{});
    start_sources();
    caf::anon_send(js_.api, opened_atom::value, stream_outcome{name_, {}});
  } else if (phase_ == phase::open && reconfigured_) {
    reconfigured_ = false;
    caf::anon_send(js_.api, configure_atom::value, stream_outcome{name_, {}});
  }
}

// ---- another configuration ----

/// An older version has told the store less than is known now.
void stream_state::repeat_limits() {
  auto row = write_asset_row(record_->created_ns, to_json(config()));
  open_batch().proposals.add(configure_proposal{limits_of(config()), row});
}

void stream_state::configure(const stream_config_ptr& next) {
  auto& batch = open_batch();
  batch.expect([this, next](const outcome& o) {
    if (o.error == store_errc::none) return put_in_force(next);
    caf::anon_send(js_.api, configure_atom::value,
                   stream_outcome{name_, {o.error, 0, stopped_.text}});
  });
  auto row = write_asset_row(record_->created_ns, to_json(*next));
  batch.proposals.add(configure_proposal{limits_of(*next), row});
}

void stream_state::put_in_force(const stream_config_ptr& next) {
  auto before = config_;
  config_ = next;
  record_->put(next);
  make_transforms();
  reconfigured_ = true;
  if (before->mirror != next->mirror || before->sources != next->sources ||
      before->sealed != next->sealed) {
    end_sources();
    start_sources();
  }
  change_subscriptions(*before);
  if (before->retention != next->retention) consumers_.change_retention();
  note_settled();
}

void stream_state::change_subscriptions(const stream_config& before) {
  const auto& wanted = config().subjects;
  auto has = [](const auto& list, const auto& what, auto&& key) {
    return std::any_of(list.begin(), list.end(), [&](const auto& x) { return key(x) == what; });
  };
  auto itself = [](const auto& x) { return x; };
  auto subject = [](const auto& x) { return x.first; };
  std::erase_if(slots_, [&](const auto& slot) {
    if (has(wanted, slot.first, itself)) return false;
    client_.unsubscribe(slot.second);
    return true;
  });
  for (const auto& s : wanted) {
    if (has(slots_, s, subject)) continue;
    subscribe_to(s);
  }
  if (config().allow_direct && !before.allow_direct) start_readers(own_readers_, name_);
  if (!config().allow_direct && before.allow_direct) end_readers(own_readers_);
  serve_origin();
  subjects_asked_ = client_.asked();
  client_.send_changes();
}

// ---- readers ----

/// One for each event loop, for direct gets that ask for the stream `asked`.
void stream_state::start_readers(readers& into, const std::string& asked) {
  for (auto* context : js_.loops) {
    into.push_back(spawn_pinned<stream_reader_state>(
        self_->system(), context->loop, std::ref(*context), std::ref(js_),
        reader_start{name_, asked, store_, stream_actor{self_}}));
    ++readers_;
    ++readers_awaited_;
  }
}

void stream_state::end_readers(readers& which) {
  for (const auto& reader : which) caf::anon_send(reader, end_atom::value);
  which.clear();
}

// ---- the end ----

/// Takes nothing more; commits what was taken, then closes its store.
void stream_state::end(bool remove) {
  if (phase_ == phase::ending || phase_ == phase::closed) return;
  bool opening = phase_ == phase::opening && !store_;
  phase_ = phase::ending;
  remove_ = remove;
  context_.deadlines.cancel(*this);
  consumers_.withdraw();
  client_.withdraw();
  answer_drained();
  end_readers(own_readers_);
  end_readers(origin_readers_);
  consumers_.end(remove);
  end_sources();
  if (!opening) close_if_done();
}

void stream_state::close_if_done() {
  if (phase_ == phase::ending && handed_over_ == 0 && !open_ && readers_ == 0 && consumers_.ended())
    close_store();
}

void stream_state::close_store() {
  if (!store_) return;
  count_bytes(0);
  record_->put(std::shared_ptr<message_store>{});
  auto directory = js_.store_dir / name_;
  bool gone = remove_ && config().storage == storage_type::file;
  run_on(writer_, [=, store = std::move(store_), self = stream_actor{self_}]() mutable {
    store->commit();
    // Others may be reading from it, block by block. Nothing may write to the directory any more
    // once another stream can have its place.
    std::weak_ptr<message_store> open{store};
    store.reset();
    for (int tries = 0; !open.expired() && tries < 10'000; ++tries)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    store_error error;
    if (!open.expired()) {
      auto busy = std::make_error_code(std::errc::device_or_resource_busy);
      error = {store_errc::io_error, 0, directory.string() + ": " + busy.message()};
    } else if (gone) {
      error = remove_stream_directory(directory);
    }
    caf::anon_send(self, closed_atom::value, error);
  });
}

void stream_state::note_closed(const store_error& error) {
  phase_ = phase::closed;
  caf::anon_send(js_.api, closed_atom::value, stream_outcome{name_, error});
  end_if_done();
}

void stream_state::end_if_done() {
  if (phase_ == phase::closed && retired_) self_->quit();
}

}  // namespace vagus

#include "actors/jetstream/advisories.hpp"
#include "actors/jetstream/api_reply.hpp"
#include "actors/jetstream/jetstream.hpp"
#include "actors/jetstream/stream_restore.hpp"
#include "actors/jetstream/stream_snapshot.hpp"
#include "actors/pinned_actor.hpp"
#include "net/log.hpp"
#include "net/options/units.hpp"
#include "net/subject.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <fmt/chrono.h>

namespace vagus {

namespace {

/// Snapshots and restores at once. Each has a window of chunks in memory.
constexpr size_t most_copies = 64;

}  // namespace

// ---- STREAM.SNAPSHOT ----

void jetstream_state::snapshot(const std::string& stream, const api_request& request) {
  constexpr std::string_view type = "stream_snapshot_response";
  stream_snapshot_request asked;
  if (auto wrong = read_json(request.payload, js_.strict, asked))
    return refuse(request, type, *wrong);
  if (!valid_literal_subject(asked.deliver_subject))
    return refuse(request, type, make_error(js_errc::snapshot_deliver_subject_invalid));
  if (copies_.size() >= most_copies)
    return refuse(request, type, make_error(js_errc::stream_too_many_requests));
  const auto& record = *find(stream)->record;
  auto store = record.store();
  if (store.expired()) return refuse(request, type, make_error(js_errc::stream_offline));
  auto view = record.look();
  auto& context = next_loop();
  auto id = ++last_copy_;
  copies_[id] = caf::actor_cast<caf::actor>(spawn_pinned<stream_snapshot_state>(
      self_->system(), context.loop, std::ref(context), std::ref(js_),
      snapshot_start{id, stream, view.config, view.consumers, std::move(store), request,
                     std::move(asked)}));
}

// ---- STREAM.RESTORE ----

void jetstream_state::restore(const std::string& stream, const api_request& request) {
  constexpr std::string_view type = "stream_restore_response";
  if (is_empty_request(request.payload))
    return refuse(request, type, make_error(js_errc::bad_request));
  stream_restore_request asked;
  if (auto wrong = read_json(request.payload, js_.strict, asked))
    return refuse(request, type, *wrong);
  auto& config = asked.config;
  if (config.name.empty()) config.name = stream;
  if (config.name != stream) return refuse(request, type, make_error(js_errc::stream_mismatch));
  if (auto wrong = check_stream_config(config, js_.limits, false))
    return refuse(request, type, *wrong);
  if (auto wrong = check_reservation(config, usage(stream).reserved))
    return refuse(request, type, *wrong);
  if (find(stream) != nullptr || start_.offline.contains(stream))
    return refuse(request, type, make_error(js_errc::stream_name_exist_restore_failed));
  if (copies_.size() >= most_copies)
    return refuse(request, type, make_error(js_errc::stream_too_many_requests));
  auto& context = next_loop();
  auto id = ++last_copy_;
  copies_[id] = caf::actor_cast<caf::actor>(spawn_pinned<stream_restore_state>(
      self_->system(), context.loop, std::ref(context), std::ref(js_),
      restore_start{id, std::make_shared<const stream_config>(std::move(config)), request}));
}

/// A whole stream is here, unless something was wrong with it. Meanwhile its place may have been
/// taken.
void jetstream_state::finish_restore(const restored_stream_ptr& restored) {
  const auto& stream = restored->config->name;
  auto fail = [&](js_errc code) { note_restored(*restored, make_error(code)); };
  if (restored->error) return note_restored(*restored, restored->error);
  if (ending_) return note_restored(*restored, make_error(js_errc::cluster_not_avail));
  if (find(stream) != nullptr || start_.offline.contains(stream))
    return fail(js_errc::stream_name_exist_restore_failed);
  if (auto wrong = check_reservation(*restored->config, usage(stream).reserved))
    return note_restored(*restored, wrong);
  if (overlaps(*restored->config, stream))
    return note_restored(
        *restored, make_error(js_errc::stream_restore,
                              {{"err",
                                "error adding stream: subjects overlap with an existing stream "
                                "(10065)"}}));
  auto record = std::make_shared<stream_record>(restored->config, now_ns());
  auto& e = add({stream, record, restored->store, true, restored->adopt});
  e.then = [this, restored](const store_error& error) {
    if (!error) return note_restored(*restored, std::nullopt);
    streams_.erase(restored->config->name);
    js_.streams.remove(restored->config->name);
    auto text = error.text.empty() ? std::string{to_text(error.code)} : error.text;
    note_restored(*restored, make_error(js_errc::stream_restore, {{"err", text}}));
  };
}

void jetstream_state::note_restored(const restored_stream& restored,
                                    const std::optional<api_error>& error) {
  constexpr std::string_view type = "stream_create_response";
  const auto& stream = restored.config->name;
  advisories events{context_, js_};
  if (!error) events.stream_created(stream, now_ns());
  events.restore_completed(stream, restored.request, restored.bytes, restored.start_ns, now_ns());
  auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::nanoseconds{now_ns() - restored.start_ns});
  if (error) {
    log_warning("Restore failed for {} for stream '{} > {}' in {}: {}",
                friendly_bytes(restored.bytes), context_.global.name, stream, took,
                error->description);
    js_.api_errors.fetch_add(1, std::memory_order_relaxed);
  } else {
    log_info("Completed restore of {} for stream '{} > {}' in {}", friendly_bytes(restored.bytes),
             context_.global.name, stream, took);
  }
  publishing{context_}.send(
      restored.reply, {},
      error ? api_error_reply(type, *error) : change_reply(type, *find(stream)->record, false));
  if (restored.directory.empty()) return;
  run_on(js_.workers.next_copier(), [directory = restored.directory] {
    std::error_code ignored;  // the next start tries again
    std::filesystem::remove_all(directory, ignored);
  });
}

void jetstream_state::note_copied(uint64_t id) {
  copies_.erase(id);
  if (ending_) end_if_empty();
}

}  // namespace vagus

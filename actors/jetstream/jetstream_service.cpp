#include "actors/jetstream/jetstream_service.hpp"

#include "actors/jetstream/jetstream.hpp"
#include "actors/jetstream/metadata.hpp"
#include "actors/jetstream/recover.hpp"
#include "actors/pinned_actor.hpp"
#include "net/log.hpp"
#include "net/options/capacity.hpp"
#include "net/options/units.hpp"
#include "storage/store_error.hpp"

#include <caf/send.hpp>

#include <stdexcept>

namespace vagus {

namespace {

/// Streams on the same thread wait for each other's commits; threads that wait for a disk cost
/// nothing.
constexpr size_t writer_threads = 16;
constexpr size_t reader_threads = 4;
constexpr size_t copier_threads = 4;

}  // namespace

jetstream_service::jetstream_service(caf::actor_system& system, const settings& current,
                                     std::vector<std::unique_ptr<loop_context>>& contexts) {
  configure(current);
  announce();
  for (auto& context : contexts) context_.loops.push_back(context.get());
  lock(std::filesystem::path{current.opts.store_dir} / "vagus");
  auto found = recover_streams(context_.store_dir, context_.sync_interval);
  for (size_t i = 0; i < writer_threads; ++i)
    context_.workers.writers.push_back(system.spawn<caf::detached>(storage_worker));
  for (size_t i = 0; i < reader_threads; ++i)
    context_.workers.readers.push_back(system.spawn<caf::detached>(storage_worker));
  for (size_t i = 0; i < copier_threads; ++i)
    context_.workers.copiers.push_back(system.spawn<caf::detached>(storage_worker));
  spawn_pinned<jetstream_state>(
      system, contexts[0]->loop, std::ref(*contexts[0]),
      jetstream_start{contexts, context_, std::move(found.streams), std::move(found.offline),
                      [this] { ready_.set_value(); }, [this] { ended_.set_value(); }});
  ready_.get_future().wait();
}

jetstream_service::~jetstream_service() {
  stop();
}

void jetstream_service::configure(const settings& current) {
  const auto& opts = current.opts;
  context_.server_name = current.info.server_name;
  context_.domain = opts.js_domain;
  context_.strict = opts.js_strict;
  context_.store_dir = std::filesystem::path{opts.store_dir} / "vagus" / "$G" / "streams";
  context_.limits.duplicate_window = opts.js_duplicate_window.count();
  context_.sync_interval = opts.sync_interval;
  context_.max_memory = memory_store_limit(opts);
  context_.max_storage = file_store_limit(opts);
}

void jetstream_service::announce() const {
  log_info("Starting JetStream");
  log_info("---------------- JETSTREAM ----------------");
  log_info("  Strict:          {}", context_.strict);
  log_info("  Max Memory:      {}", friendly_bytes(static_cast<uint64_t>(context_.max_memory)));
  log_info("  Max Storage:     {}", friendly_bytes(static_cast<uint64_t>(context_.max_storage)));
  log_info("  Store Directory: \"{}\"", context_.store_dir.string());
  if (!context_.domain.empty()) log_info("  Domain:          {}", context_.domain);
  log_info("  API Level:       {}", js_api_level);
  log_info("-------------------------------------------");
}

void jetstream_service::lock(const std::filesystem::path& directory) {
  try {
    std::filesystem::create_directories(directory);
    lock_.take(directory);
  } catch (const store_failure& e) {
    throw std::runtime_error{fmt::format(
        "cannot store streams in \"{}\" ({}): stop the server that uses it, name another directory "
        "that can be written (store_dir or -sd), or switch JetStream off (jetstream = false)",
        directory.string(), e.error.text)};
  } catch (const std::filesystem::filesystem_error&) {
    // recover_streams says what is wrong with the directory.
  }
}

void jetstream_service::stop() {
  if (stopped_) return;
  stopped_ = true;
  caf::anon_send(context_.api, end_atom::value);
  ended_.get_future().wait();
  for (auto& w : context_.workers.writers) caf::anon_send(w, end_atom::value);
  for (auto& r : context_.workers.readers) caf::anon_send(r, end_atom::value);
  for (auto& c : context_.workers.copiers) caf::anon_send(c, end_atom::value);
  context_.workers.writers.clear();
  context_.workers.copiers.clear();
  context_.workers.readers.clear();
}

}  // namespace vagus

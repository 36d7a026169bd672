#include "actors/jetstream/recover.hpp"

#include "actors/jetstream/asset_row.hpp"
#include "actors/jetstream/requests.hpp"
#include "actors/jetstream/stream.hpp"
#include "actors/jetstream/stream_directory.hpp"
#include "net/log.hpp"
#include "storage/lmdb_store.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace vagus {

namespace fs = std::filesystem;

namespace {

/// Opening waits for the disk more than for a processor.
constexpr size_t opening_threads = 8;

struct found {
  recovered_stream stream;
  std::string error;
};

std::string text_of(const store_error& e) {
  return e.text.empty() ? to_text(e.code) : fmt::format("{}: {}", to_text(e.code), e.text);
}

found open_stream(const fs::path& directory, std::chrono::nanoseconds sync_interval) {
  found result;
  auto& stream = result.stream;
  stream.name = directory.filename().string();
  lmdb_store_options how;
  how.sync_each_batch = sync_interval.count() == 0;
  how.report_removed = true;
  auto opened = lmdb_store::open(directory, stream.name, how);
  if (!opened) {
    result.error = text_of(opened.error());
    return result;
  }
  stream.store = std::move(*opened);
  auto config = std::make_shared<stream_config>();
  int64_t created_ns = 0;
  store_state state;
  {
    auto snapshot = stream.store->read();
    auto row = snapshot ? (*snapshot)->config() : store_result<std::string>{snapshot.error()};
    result.error = row ? read_asset_row(*row, *config, created_ns) : text_of(row.error());
    if (snapshot) state = (*snapshot)->state();
  }
  if (!result.error.empty()) return result;
  if (auto own = sync_interval_of(*config, sync_interval); own != sync_interval) {
    stream.store.reset();
    return open_stream(directory, own);
  }
  stream.record = std::make_shared<stream_record>(std::move(config), created_ns);
  stream.record->put(state);
  return result;
}

/// A stream whose making was cut short before its configuration was stored: nothing is in it, and
/// nobody was told that it is there.
bool never_made(const fs::path& directory) {
  lmdb_store_options how;
  how.read_only = true;
  auto store = lmdb_store::open(directory, {}, how);
  if (!store) return false;
  auto snapshot = (*store)->read();
  return snapshot && (*snapshot)->meta().applied == 0;
}

std::vector<fs::path> list(const fs::path& directory) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator{directory}) {
    auto file = entry.path().filename().string();
    if (file.starts_with(removed_prefix) || file.starts_with(".restore-")) {
      fs::remove_all(entry.path());
    } else if (entry.is_directory() && !file.starts_with('.')) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void note(found& f, const fs::path& directory, recovery& into) {
  if (f.error.empty()) {
    auto state = f.stream.record->look().state;
    log_info("  Restored {} messages of stream '{}'", state.msgs, f.stream.name);
    into.streams.push_back(std::move(f.stream));
    return;
  }
  f.stream.store.reset();
  if (never_made(directory)) {
    // Whoever restores one of that name wants its place. An error: the next start tries again.
    remove_stream_directory(directory);
    return;
  }
  log_error(
      "JetStream stream '{}' is offline: {}. Its directory {} is left as it is; mend it (\"vagus "
      "store check\") or move it away, and start again",
      f.stream.name, f.error, directory.string());
  into.offline.emplace(f.stream.name, f.error);
}

}  // namespace

recovery recover_streams(const fs::path& directory, std::chrono::nanoseconds sync_interval) {
  recovery result;
  std::vector<fs::path> paths;
  try {
    fs::create_directories(directory);
    paths = list(directory);
  } catch (const fs::filesystem_error& e) {
    throw std::runtime_error{fmt::format(
        "cannot use \"{}\" to store streams ({}): name a directory that can be written (store_dir "
        "or -sd), or switch JetStream off (jetstream = false)",
        directory.string(), e.code().message())};
  }
  std::mutex mutex;
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i; (i = next++) < paths.size();) {
      auto f = open_stream(paths[i], sync_interval);
      std::lock_guard lock{mutex};
      note(f, paths[i], result);
    }
  };
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < std::min(opening_threads, paths.size()); ++i) threads.emplace_back(work);
  threads.clear();
  return result;
}

}  // namespace vagus

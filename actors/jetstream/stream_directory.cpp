#include "actors/jetstream/stream_directory.hpp"

#include "storage/write_log.hpp"

#include <system_error>

namespace vagus {

namespace fs = std::filesystem;

store_error keep_names(const fs::path& parent) {
  try {
    sync_directory(parent);
    return {};
  } catch (const store_failure& failure) {
    return failure.error;
  }
}

store_error remove_stream_directory(const fs::path& directory) {
  auto rest = directory.parent_path() / removed_prefix;
  rest += directory.filename();
  std::error_code code;
  store_error error;
  // First out of the way, so that a crash in the middle leaves no half of a stream.
  fs::remove_all(rest, code);
  fs::rename(directory, rest, code);
  if (!code) error = keep_names(directory.parent_path());
  if (!code) fs::remove_all(rest, code);
  if (code) error = {store_errc::io_error, 0, directory.string() + ": " + code.message()};
  return error;
}

}  // namespace vagus

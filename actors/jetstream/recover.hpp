#pragma once

#include "actors/jetstream/jetstream.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace vagus {

/// What was found in an account's directory at the start.
struct recovery {
  std::vector<recovered_stream> streams;
  /// Streams that could not be opened, and why. Their directories are left as they are.
  std::map<std::string, std::string> offline;
};

/// Opens every stream in `directory` (made if it is not there), on several threads, and logs what
/// it finds. Removes what was left of streams whose removal had begun,
/// and of restores that had not ended. Throws std::runtime_error
/// that says what to do if the directory itself cannot be used.
recovery recover_streams(const std::filesystem::path& directory,
                         std::chrono::nanoseconds sync_interval);

}  // namespace vagus

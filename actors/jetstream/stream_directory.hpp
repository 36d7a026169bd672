#pragma once

#include "storage/store_error.hpp"

#include <filesystem>
#include <string_view>

namespace vagus {

/// What directories are called whose removal has begun. The next start finishes it.
inline constexpr std::string_view removed_prefix = ".removed-";

/// A directory in `parent` has its name, or has it no more, after a power cut too.
store_error keep_names(const std::filesystem::path& parent);

/// Removes the directory of a stream, of which a crash in the middle leaves all or nothing.
store_error remove_stream_directory(const std::filesystem::path& directory);

}  // namespace vagus

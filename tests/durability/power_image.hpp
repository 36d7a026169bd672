#pragma once

#include <cstdint>
#include <filesystem>

namespace vagus::testing {

/// What is on the disk after a power cut, as one seed has it.
struct power_cut {
  uint64_t seed = 1;
  /// What a disk writes as a whole: unsynced writes are kept or lost in pieces of this size.
  uint64_t sector = 512;
};

/// Builds in `image` (made anew) what a power cut leaves of a directory that was `base` when a
/// program under power_shim began, and to which it did what is in `log`: all that was synced, and
/// some of the rest. Names (creation, renaming, removal) last from the sync of their directory on;
/// of later ones a random run from the front is kept, as journaling file systems do.
void build_power_image(const std::filesystem::path& base, const std::filesystem::path& log,
                       const std::filesystem::path& image, power_cut cut);

}  // namespace vagus::testing

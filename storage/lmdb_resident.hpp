#pragma once

#include <cstddef>

namespace vagus {

/// Gives the system back the pages of maps that nobody has used since the call before: of every
/// LMDB environment that this process has open. They stay in the page cache, and are mapped again
/// as they are read; without this, what was read once counts as memory of the process for ever.
///
/// Call it every few seconds, any thread, one at a time. Returns how many maps were given back.
size_t give_back_unused_maps();

}  // namespace vagus

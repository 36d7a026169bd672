#pragma once

#include <cstdint>

/// One operation in the shim's log; the name and the bytes follow.
struct power_op {
  enum kind : uint32_t {
    create,        ///< a file
    write,         ///< `at` is the offset
    synced_write,  ///< the last write to the file is on the disk
    truncate,      ///< `at` is the new size
    sync_begin,    ///< what was done to the file until here ...
    sync_end,      ///< ... is on the disk; `at` is the descriptor
    rename,        ///< the bytes are the new name
    unlink,
  };
  kind what;
  uint32_t name_size;
  uint64_t at;
  uint64_t size;
};

#pragma once

#include "actors/jetstream/api_error.hpp"
#include "actors/jetstream/sources_check.hpp"
#include "actors/jetstream/stream_config.hpp"

namespace vagus {

/// What the server and the account allow. 0 or less is no limit.
struct jetstream_limits {
  int64_t duplicate_window = 0;         ///< the longest that a stream may ask for, nanoseconds
  int64_t memory_max_stream_bytes = 0;  ///< `max_bytes` of a stream in memory
  int64_t storage_max_stream_bytes = 0;
  bool max_bytes_required = false;
};

/// What the streams of the account, without the one in question, have reserved with `max_bytes`,
/// and how much there is. A maximum below 0 is no limit.
struct reservations {
  int64_t reserved_memory = 0;
  int64_t reserved_storage = 0;
  int64_t max_memory = -1;
  int64_t max_storage = -1;
};

/// What only creating a stream refuses. Before everything else.
std::optional<api_error> check_create_request(const stream_config& config);

/// Puts the defaults in, or says why the configuration cannot be. A `pedantic` client wants an
/// error where something other than an omission would have to be changed. `find` is for what a
/// mirror or sources have to do with other streams; without it nothing is known of these.
std::optional<api_error> check_stream_config(stream_config& config, const jetstream_limits& limits,
                                             bool pedantic, const stream_lookup& find = {});

/// Checks `next` as `check_stream_config` does, and whether `old` may become it. Sealing changes
/// other members along.
std::optional<api_error> check_stream_update(const stream_config& old, stream_config& next,
                                             const jetstream_limits& limits, bool pedantic,
                                             const stream_lookup& find = {});

/// Whether `max_bytes` of the stream still fits.
std::optional<api_error> check_reservation(const stream_config& config, const reservations& others);

/// Creating a stream again with the configuration that it has is no error. Both checked.
bool same_config(const stream_config& requested, const stream_config& existing);

}  // namespace vagus

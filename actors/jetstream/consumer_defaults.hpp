#pragma once

#include "actors/jetstream/consumer_check.hpp"

namespace vagus {

/// Puts in what the client left out, from the stream's `consumer_limits` and the bounds. The error
/// is what a `pedantic` client hears of a value that would have to be changed.
std::optional<api_error> set_consumer_defaults(consumer_config& config, const stream_config& stream,
                                               const consumer_bounds& bounds, bool pedantic);

}  // namespace vagus

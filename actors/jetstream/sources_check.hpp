#pragma once

#include "actors/jetstream/api_error.hpp"
#include "actors/jetstream/source_header.hpp"
#include "actors/jetstream/stream_config.hpp"

#include <functional>
#include <optional>
#include <string_view>

namespace vagus {

/// The configuration of another stream of the account; null if there is none.
using stream_lookup = std::function<const stream_config*(std::string_view name)>;

/// Whether the stream may have its mirror or its sources next to the streams that `find`, if there
/// is one, knows: an origin need not exist yet. A mirror takes over whether its origin allows
/// direct gets; a `pedantic` client wants an error instead.
///
/// Cycles are looked for as nats-server does it, which also finds one where there is none: a stream
/// that sources A and, behind it, another one that sources A.
std::optional<api_error> check_sources(stream_config& config, const stream_lookup& find,
                                       bool pedantic);

/// Whether the filters of mirror and sources are subjects. Last of all checks.
std::optional<api_error> check_source_filters(const stream_config& config);

}  // namespace vagus

#pragma once

#include "actors/jetstream/api_error.hpp"
#include "actors/jetstream/stream_config.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace vagus {

/// Whether the stream may have its mirror or its sources, whatever other streams there are.
std::optional<api_error> check_sources(const stream_config& config);

/// The configuration of another stream of the account; null if there is none.
using stream_lookup = std::function<const stream_config*(std::string_view name)>;

/// The same next to the streams that there are. A mirror takes over whether direct gets are
/// allowed.
std::optional<api_error> check_origins(stream_config& config, const stream_lookup& find);

/// What tells one source of a stream from the others, and what a sourced message's header has of
/// it: `<stream>[:<hash of an external api>] <filters> <destinations>`, several joined by form
/// feeds.
std::string source_name(const stream_source& source);

/// `Nats-Stream-Source` of a message with that subject and sequence in the origin (ADR-8's
/// sourcing; the form is nats-server's).
std::string source_header(const std::string& source_name, uint64_t seq, std::string_view subject);

}  // namespace vagus

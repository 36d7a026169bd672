#pragma once

#include "actors/jetstream/api_error.hpp"
#include "actors/jetstream/consumer_config.hpp"

namespace vagus {

/// Whether the consumer may have its filters: valid subjects of which none covers another. The cost
/// is bounded whatever a client sends.
std::optional<api_error> check_consumer_filters(const consumer_config& config);

}  // namespace vagus

#pragma once

#include "actors/jetstream/jetstream_context.hpp"
#include "actors/monitor/jsz.hpp"
#include "net/options/options.hpp"

namespace vagus {

/// JetStream as it is now, for /jsz, /varz and /healthz. Any thread; takes as long as there are
/// streams, so not on an event loop. Null for null.
jetstream_view_ptr look_at(const jetstream_context* js, const options& opts);

}  // namespace vagus

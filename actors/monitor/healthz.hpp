#pragma once

#include "actors/monitor/jsz.hpp"
#include "actors/monitor/parameters.hpp"
#include "net/http_server.hpp"

namespace vagus {

/// Whether clients are served, and JetStream, an account of it, a stream or a consumer if asked.
/// @param accepting clients can connect: not in lame duck mode, nor while shutting down
/// @param jetstream null: it is off, and nothing of it is looked at
http_answer healthz(parameters& wanted, bool accepting, const jetstream_view* jetstream = nullptr);

}  // namespace vagus

#pragma once

#include "actors/monitor/parameters.hpp"
#include "net/http_server.hpp"

namespace vagus {

/// @param accepting clients can connect: not in lame duck mode, nor while shutting down
http_answer healthz(parameters& wanted, bool accepting);

}  // namespace vagus

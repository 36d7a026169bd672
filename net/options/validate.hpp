#pragma once

#include "net/options/options.hpp"

#include <string>
#include <vector>

namespace vagus {

/// Clears what follows another option unless it is given, so that fill_defaults fills it: http_host
/// (as host) and js_info_queue_limit (as js_request_queue_limit).
void forget_followers(options& out);

/// Replaces what was set to "zero, so the default" by the default, as nats-server does: port 0
/// means 4222, max_payload 0 means 1 MiB and so on.
void fill_defaults(options& out);

/// What is wrong with the options as a whole; one sentence each, empty if nothing is.
std::vector<std::string> validate(const options& opts);

}  // namespace vagus

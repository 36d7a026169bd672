#pragma once

#include "net/options/options.hpp"

#include <string>
#include <vector>

namespace vagus {

/// Replaces what was set to "zero, so the default" by the default, as nats-server does: port 0
/// means 4222, max_payload 0 means 1 MiB and so on. An empty http_host becomes the host.
void fill_defaults(options& out);

/// What is wrong with the options as a whole; one sentence each, empty if nothing is.
std::vector<std::string> validate(const options& opts);

}  // namespace vagus

#pragma once

#include <caf/scheduled_actor.hpp>

#include <functional>
#include <string>

namespace vagus {

/// What happens when something fails without which the server cannot serve: a core actor, or an
/// event loop. By default the failure is logged as `[FTL]` and the process ends with exit code 1
/// at once, rather than limping. Tests put their own in place; returns the previous one.
using core_failure_handler = std::function<void(const std::string& what)>;
core_failure_handler on_core_failure(core_failure_handler handler);

/// Reports a failure to the handler.
void core_failed(const std::string& what);

/// Makes an unexpected exception or error of `self` a core failure. For every actor but those that
/// stand for one client only.
void supervise(caf::scheduled_actor* self);

}  // namespace vagus

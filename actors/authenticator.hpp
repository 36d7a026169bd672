#pragma once

#include "actors/interfaces.hpp"

namespace vagus {

/// Checks credentials against the options on a thread of the scheduler, since bcrypt takes tens of
/// milliseconds.
authenticator_actor::behavior_type authenticator(authenticator_actor::pointer self);

/// The check itself.
bool credentials_match(const options& opts, const credentials& given);

/// True if clients have to present credentials.
bool needs_credentials(const options& opts);

}  // namespace vagus

#include "actors/authenticator.hpp"
#include "actors/connection/connection.hpp"
#include "net/auth.hpp"
#include "net/log.hpp"

namespace vagus {

/// New options: limits hold at once, and who would not be let in any more has to go. The client is
/// not told.
void connection_state::put_in_force(const settings_ptr& next) {
  if (phase_ != phase::open) return;
  const auto& opts = next->opts;
  limits_.max_control_line = opts.max_control_line;
  limits_.max_payload = opts.max_payload;
  if (!needs_credentials(opts)) {
    if (!connect_received_) {
      authenticated_ = true;
      auth_deadline_ = time_point::max();
      schedule();
    }
    return;
  }
  if (!connect_received_) {
    authenticated_ = false;
    auth_deadline_ = now() + opts.auth_timeout;
    schedule();
    return;
  }
  verify_credentials(next, [this](bool good) {
    if (!good && phase_ == phase::open)
      refuse("Authorization Violation", closed_reason::authentication_violation);
  });
}

}  // namespace vagus

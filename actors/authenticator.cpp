#include "actors/authenticator.hpp"

#include "actors/supervision.hpp"
#include "net/auth.hpp"

namespace vagus {

bool needs_credentials(const options& opts) {
  return !opts.username.empty() || !opts.token.empty();
}

bool credentials_match(const options& opts, const credentials& given) {
  if (!opts.token.empty()) return check_secret(opts.token, given.token);
  return check_secret(opts.username, given.user) && check_secret(opts.password, given.pass);
}

authenticator_actor::behavior_type authenticator(authenticator_actor::pointer self) {
  supervise(self);
  return {
      [](verify_atom, const credentials& given, const settings_ptr& current) {
        return credentials_match(current->opts, given);
      },
      [self](end_atom) { self->quit(); },
  };
}

}  // namespace vagus

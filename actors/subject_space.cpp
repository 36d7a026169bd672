#include "actors/subject_space.hpp"

#include "actors/interest/rcu.hpp"
#include "actors/supervision.hpp"

#include <caf/send.hpp>

namespace vagus {

subject_space_state::subject_space_state(handle::pointer self, account& of)
    : self_{self}, account_{of} {}

void subject_space_state::apply(const interest_changes& changes) {
  changes.for_each([&](const interest_changes::change& c) {
    interest::subscription_key key{changes.from.get(), c.slot, c.subject, c.queue};
    if (c.add)
      account_.subjects.subscribe(key, c.generation, c.sid);
    else
      account_.subjects.unsubscribe(key);
  });
  // The endpoint of a subscriber that has ended stays until no publisher can be looking at it, and
  // so does the actor. A publisher sends within the read section in which it looked: what it had
  // for the subscriber is in the mailbox before this message is.
  if (!changes.last) return;
  retire([gone = changes.from] {
    caf::anon_send(caf::actor_cast<subscriber_actor>(gone->actor), retired_atom::value);
    gone->actor = nullptr;
  });
}

subject_space_actor::behavior_type subject_space_state::behavior() {
  supervise(self_);
  return {
      [this](const interest_changes_ptr& changes, const subscriber_actor& from) {
        apply(*changes);
        self_->send(from, applied_atom::value, static_cast<uint64_t>(changes->size()));
      },
      [this](end_atom) { self_->quit(); },
  };
}

}  // namespace vagus

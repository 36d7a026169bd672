#include "actors/subject_space.hpp"

#include "actors/interest/rcu.hpp"
#include "actors/supervision.hpp"
#include "net/subject.hpp"

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

void subject_space_state::tell_watchers(const interest_changes& changes) {
  auto tell = [this](const auto& range) {
    for (auto at = range.first; at != range.second; ++at)
      self_->send(at->second, interest_atom::value);
  };
  changes.for_each([&](const interest_changes::change& c) {
    if (!has_wildcard(c.subject)) return tell(watchers_.equal_range(c.subject));
    for (auto at = watchers_.begin(); at != watchers_.end();) {
      auto range = watchers_.equal_range(at->first);
      if (subject_matches(c.subject, at->first)) tell(range);
      at = range.second;
    }
  });
}

subject_space_actor::behavior_type subject_space_state::behavior() {
  supervise(self_);
  return {
      [this](const interest_changes_ptr& changes, const subscriber_actor& from) {
        apply(*changes);
        if (!watchers_.empty()) tell_watchers(*changes);
        self_->send(from, applied_atom::value, static_cast<uint64_t>(changes->size()));
      },
      [this](watch_atom, const std::string& subject, const watcher_actor& watcher) {
        watchers_.emplace(subject, watcher);
        // What has changed before it watched is news to it too.
        self_->send(watcher, interest_atom::value);
      },
      [this](unwatch_atom, const std::string& subject, const watcher_actor& watcher) {
        auto [at, end] = watchers_.equal_range(subject);
        while (at != end && at->second != watcher) ++at;
        if (at != end) watchers_.erase(at);
      },
      [this](end_atom) {
        watchers_.clear();
        self_->quit();
      },
  };
}

}  // namespace vagus

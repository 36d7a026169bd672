#pragma once

#include "actors/interfaces.hpp"
#include "actors/loop_context.hpp"

#include <map>
#include <string>

namespace vagus {

/// The only writer of an account's interest.
class subject_space_state {
public:
  using handle = subject_space_actor;
  static constexpr const char* name = "subject_space";
  struct open_to_guests {};

  /// @param of must outlive the actor
  subject_space_state(handle::pointer self, account& of);

  handle::behavior_type behavior();
  void after_run() {}

  void apply(const interest_changes& changes);

private:
  void tell_watchers(const interest_changes& changes);

  handle::pointer self_;
  account& account_;
  std::multimap<std::string, watcher_actor, std::less<>> watchers_;  ///< by subject
};

}  // namespace vagus

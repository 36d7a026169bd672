#pragma once

#include "actors/interest/subscriber_list.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vagus {

/// One queue group that a subject reaches: its members, possibly from several patterns.
struct queue_match {
  uint32_t id;  ///< of the queue group's name
  std::vector<const subscriber*> members;
};

/// Everyone whom a subject reaches. The pointers are good while the generations that the interest
/// had before the walk still hold, or inside the snapshot_guard of the walk.
struct match_result {
  std::vector<const subscriber*> plain;
  std::vector<queue_match> queues;

  bool empty() const { return plain.empty() && queues.empty(); }
};

}  // namespace vagus

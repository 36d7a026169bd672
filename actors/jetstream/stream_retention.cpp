#include "actors/jetstream/stream.hpp"

namespace vagus {

/// A consumer is done with a message: in a work queue it goes, elsewhere once all are.
bool stream_state::may_remove(std::string_view, uint64_t) {
  return config().retention == retention_policy::workqueue;
}

void stream_state::note_interest_changed() {}

consumer_bounds stream_state::consumer_limits() const {
  return {};
}

}  // namespace vagus

#pragma once

#include "actors/jetstream/requests.hpp"
#include "storage/message_store.hpp"

namespace vagus {

/// The one message that MSG.GET or a direct get without `batch` asks for: by sequence, the last of
/// a subject, the next of a subject, or by time. `no_message` if there is none.
store_result<stored_message> find_message(store_snapshot& in, const msg_get_request& request);

}  // namespace vagus

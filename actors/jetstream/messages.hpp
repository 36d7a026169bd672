#pragma once

#include "actors/jetstream/stream_batch.hpp"
#include "actors/jetstream/stream_record.hpp"

#include "storage/message_store.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <functional>
#include <memory>
#include <string>

namespace vagus {

/// Work for a storage thread; it sends its own answer.
using storage_job = std::shared_ptr<const std::function<void()>>;

/// What a client asks of one stream, after the JetStream API has found the stream.
enum class stream_call_kind : uint8_t { info, purge, msg_get, msg_delete };

/// One request of the JetStream API on its way to the stream that it names.
struct api_request {
  std::string subject;
  std::string reply;
  std::string headers;
  std::string payload;
};

struct stream_call {
  stream_call_kind kind = stream_call_kind::info;
  api_request request;
};

using stream_call_ptr = std::shared_ptr<const stream_call>;

using stream_config_ptr = stream_record::config_ptr;

/// A store that a storage thread has opened, or why it could not.
struct opened_store {
  std::shared_ptr<message_store> store;
  store_error error;
};

using opened_store_ptr = std::shared_ptr<const opened_store>;

/// An answer that a storage thread has written.
struct api_answer {
  std::string reply;
  std::string body;
};

using api_answer_ptr = std::shared_ptr<const api_answer>;

/// What became of a stream's opening, change or end; no error: it went well.
struct stream_outcome {
  std::string name;
  store_error error;
};

}  // namespace vagus

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::storage_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::stream_call_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::stream_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::stream_config_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::opened_store_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::api_answer_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::store_error)

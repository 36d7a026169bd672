#pragma once

#include "actors/connection_record.hpp"
#include "actors/jetstream/consumer_requests.hpp"
#include "actors/jetstream/ledger_rows.hpp"
#include "actors/jetstream/stream_batch.hpp"
#include "actors/jetstream/stream_record.hpp"
#include "net/protocol/frame_batch.hpp"
#include "storage/message_store.hpp"

#include <caf/actor_addr.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vagus {

/// Work for a storage thread; it sends its own answer.
using storage_job = std::shared_ptr<const std::function<void()>>;

/// What a client asks of one stream, after the JetStream API has found the stream.
enum class stream_call_kind : uint8_t { info, purge, msg_get, msg_delete, consumer };

/// One request of the JetStream API on its way to the stream that it names.
struct api_request {
  std::string subject;
  std::string reply;
  std::string headers;
  std::string payload;
  std::shared_ptr<const connection_record> client;  ///< who asks, for advisories; null: the server
};

struct stream_call {
  stream_call_kind kind = stream_call_kind::info;
  api_request request;
  std::optional<consumer_request> consumer;  ///< of CONSUMER.CREATE, as far as it is checked
};

using stream_call_ptr = std::shared_ptr<const stream_call>;

using consumer_config_ptr = std::shared_ptr<const consumer_config>;

/// What a client asks of one consumer, after the stream has found it.
enum class consumer_call_kind : uint8_t {
  create,
  info,
  list,
  update,
  pause,
  unpin,
  reset,
  retention
};

/// An answer to CONSUMER.LIST, to which every consumer of the page adds its own part. The one that
/// is the last to do so sends it.
struct consumer_listing {
  std::string head;  ///< of the answer, up to the list
  std::vector<std::string> items;
  std::atomic<size_t> missing{0};
};

struct consumer_call {
  consumer_call_kind kind = consumer_call_kind::info;
  api_request request;
  consumer_config_ptr config;  ///< of update and pause: what holds from now on
  retention_policy retention = retention_policy::limits;  ///< the stream's, of that kind
  std::string reply_headers = {};                         ///< of the answer; empty: none
  std::shared_ptr<consumer_listing> listing = {};
  size_t item = 0;   ///< its place in the listing
  uint64_t seq = 0;  ///< of reset: where to begin anew; 0: behind the acknowledgement floor
};

using consumer_call_ptr = std::shared_ptr<const consumer_call>;

/// What a consumer wants its stream to commit: its state, and which messages it is done with. Comes
/// back when that is durable, or could not be stored.
struct consumer_change {
  std::string consumer;
  std::optional<ledger_row> row;
  std::vector<uint64_t> done;
  std::vector<uint64_t> exhausted;   ///< it has given up, and still needs
  uint64_t floor = 0;                ///< it is done with all others up to here
  std::vector<std::string> replies;  ///< who waits for an answer to an acknowledgement
  /// All of it, for a stream that has retention `interest` since it was told of the last change.
  std::optional<ledger_state> state;
};

using consumer_change_ptr = std::shared_ptr<const consumer_change>;

/// What an origin has sent, as frames whose reply subjects say where they were stored there.
struct sourced_messages {
  size_t source = 0;  ///< among the stream's sources
  caf::actor_addr sender;
  frame_batch_ptr batch;
  frame_run run;
  uint64_t previous = 0;  ///< the last sequence of what was sent before
  uint64_t last = 0;      ///< the last sequence of this
  std::string identity;   ///< what the origin calls itself; another one begins anew, behind 0
};

using sourced_ptr = std::shared_ptr<const sourced_messages>;

/// The sequences of the last message of each subject, ascending.
using last_sequences = std::shared_ptr<const std::vector<uint64_t>>;

/// Those, and the state of the stream in which they were; `seqs` is null if they were not found.
struct last_messages {
  last_sequences seqs;
  store_state state;
};

using stream_config_ptr = stream_record::config_ptr;

/// A store that a storage thread has opened, or why it could not.
struct opened_store {
  std::shared_ptr<message_store> store;
  store_error error;
};

using opened_store_ptr = std::shared_ptr<const opened_store>;

/// An answer that a storage thread has written.
struct api_answer {
  stream_call_ptr call;
  std::string body;
};

using api_answer_ptr = std::shared_ptr<const api_answer>;

/// What a storage thread has read of a stream that is being copied to a client.
struct snapshot_step {
  store_error error;
  std::vector<std::string> chunks;
};

using snapshot_step_ptr = std::shared_ptr<const snapshot_step>;

/// What a storage thread has done with a piece of a stream that a client sends, or with all of it.
struct restore_step {
  std::string reply;  ///< of the piece
  size_t bytes = 0;
  bool last = false;
};

using restore_step_ptr = std::shared_ptr<const restore_step>;

/// A stream that a client has sent; it is not in the catalog yet.
struct restored_stream {
  stream_config_ptr config;
  api_request request;  ///< the one that began it
  std::string reply;    ///< who waits for the end
  int64_t start_ns = 0;
  uint64_t bytes = 0;  ///< that were received
  std::optional<api_error> error;
  std::shared_ptr<message_store> store;  ///< of a stream in memory
  std::filesystem::path directory;       ///< temporary, to be removed in the end
  std::filesystem::path adopt;           ///< in it, the store of a stream on the disk
};

using restored_stream_ptr = std::shared_ptr<const restored_stream>;

/// What became of a stream's opening, change or end; no error: it went well.
struct stream_outcome {
  std::string name;
  store_error error;
};

}  // namespace vagus

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::storage_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::stream_call_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::stream_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::consumer_call_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::consumer_change_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::last_messages)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::sourced_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::stream_config_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::opened_store_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::api_answer_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::snapshot_step_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::restore_step_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::restored_stream_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::store_error)

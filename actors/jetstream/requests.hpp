#pragma once

#include "actors/jetstream/api_error.hpp"
#include "actors/jetstream/stream_config.hpp"
#include "storage/store_types.hpp"

namespace vagus {

struct stream_request {  ///< STREAM.CREATE and STREAM.UPDATE
  stream_config config;
  bool pedantic = false;
};

struct stream_info_request {  ///< STREAM.INFO
  int64_t offset = 0;
  bool deleted_details = false;
  std::string subjects_filter;
};

struct stream_names_request {  ///< STREAM.NAMES
  int64_t offset = 0;
  std::string subject;
};

struct stream_list_request {  ///< STREAM.LIST
  int64_t offset = 0;
  std::string subject;
};

struct stream_purge_request {  ///< STREAM.PURGE
  uint64_t seq = 0;
  std::string filter;
  uint64_t keep = 0;
};

struct msg_get_request {  ///< STREAM.MSG.GET and DIRECT.GET
  uint64_t seq = 0;
  std::string last_by_subj;
  std::string next_by_subj;
  int64_t batch = 0;
  int64_t max_bytes = 0;
  std::optional<int64_t> start_time;  ///< nanoseconds since 1970
  std::vector<std::string> multi_last;
  uint64_t up_to_seq = 0;
  std::optional<int64_t> up_to_time;
  bool no_hdr = false;
};

struct msg_delete_request {  ///< STREAM.MSG.DELETE
  uint64_t seq = 0;
  bool no_erase = false;
};

struct stream_snapshot_request {  ///< STREAM.SNAPSHOT
  std::string deliver_subject;
  bool no_consumers = false;
  int64_t chunk_size = 0;
  int64_t window_size = 0;
  bool jsck = false;
};

struct lost_messages {
  std::vector<uint64_t> msgs;
  uint64_t bytes = 0;
};

/// A stream's state as clients send it back to STREAM.RESTORE.
struct restore_state {
  uint64_t messages = 0;
  uint64_t bytes = 0;
  uint64_t first_seq = 0;
  std::optional<int64_t> first_ts;
  uint64_t last_seq = 0;
  std::optional<int64_t> last_ts;
  int64_t num_subjects = 0;
  std::map<std::string, uint64_t> subjects;
  int64_t num_deleted = 0;
  std::vector<uint64_t> deleted;
  std::optional<lost_messages> lost;
  int64_t consumer_count = 0;
};

struct stream_restore_request {  ///< STREAM.RESTORE
  stream_config config;
  restore_state state;
};

/// True for a request that says nothing: no bytes, or a JSON object without members.
bool is_empty_request(std::string_view text);

/// Reads the JSON of a request, one of the above or a `stream_config`, into `to`. An empty text
/// changes nothing. Not `strict`: unknown members are passed over. The error is 10025 with
/// nats-server's words. Memory is bounded by the size of `text`, and nothing recurses however deep
/// it nests.
template <class T>
std::optional<api_error> read_json(std::string_view text, bool strict, T& to);

/// Reads the one value that a text is, passing over unknown members; an empty text is an error.
/// Returns Go's words for what is wrong, or nothing.
template <class T>
std::string read_plain_json(std::string_view text, T& to);

}  // namespace vagus

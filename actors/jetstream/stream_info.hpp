#pragma once

#include "actors/jetstream/source_status.hpp"
#include "actors/jetstream/stream_config.hpp"
#include "storage/store_types.hpp"

namespace vagus {

/// What STREAM.INFO adds to a stream's state on demand.
struct state_details {
  std::vector<subject_count> subjects;  ///< one page, if `subjects_filter` was given
  std::vector<uint64_t> deleted;        ///< if `deleted_details` was given
};

struct stream_info {
  const stream_config* config = nullptr;
  int64_t created_ns = 0;
  store_state state;
  state_details details;
  int64_t consumer_count = 0;
  std::string_view domain;  ///< not in the answer to a create
  std::string_view leader;  ///< the server's name; only in the answer to STREAM.INFO
  int64_t now_ns = 0;
  bool server_metadata = true;  ///< not in STREAM.LIST
  std::vector<source_status_ptr> sources = {};
};

/// `{"messages":..,"bytes":..,...}`.
std::string to_json(const store_state& state, const state_details& details, int64_t consumer_count);

/// The members of a stream's info without the braces, since each answer has its own around them:
/// `"config":..,"created":..,"state":..,"ts":..`.
std::string info_members(const stream_info& info);

}  // namespace vagus

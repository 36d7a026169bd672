#include "actors/jetstream/stream_config.hpp"

#include "actors/jetstream/asset_json.hpp"

namespace vagus {

store_limits limits_of(const stream_config& config) {
  store_limits limits;
  limits.max_msgs = config.max_msgs;
  limits.max_bytes = config.max_bytes;
  limits.max_age_ns = config.max_age;
  limits.max_msgs_per_subject = config.max_msgs_per_subject;
  limits.max_msg_size = config.max_msg_size;
  limits.duplicate_window_ns = config.duplicate_window;
  limits.first_seq = config.first_seq;
  limits.subject_delete_marker_ttl_ns = config.subject_delete_marker_ttl;
  limits.discard_new = config.discard == discard_policy::new_msgs;
  limits.discard_new_per_subject = config.discard_new_per_subject;
  limits.compress = config.compression == compression_type::s2;
  return limits;
}

std::string to_json(const stream_config& config, bool for_answer) {
  return asset_json(config, for_answer);
}

}  // namespace vagus

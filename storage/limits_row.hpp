#pragma once

#include "storage/bytes.hpp"
#include "storage/store_types.hpp"

namespace vagus {

/// Limits as bytes, in batches and on the disk alike: 66 bytes.
inline void append_limits(std::string& out, const store_limits& limits) {
  append_le(out, limits.max_msgs);
  append_le(out, limits.max_bytes);
  append_le(out, limits.max_age_ns);
  append_le(out, limits.max_msgs_per_subject);
  append_le(out, limits.max_msg_size);
  append_le(out, limits.duplicate_window_ns);
  append_le(out, limits.subject_delete_marker_ttl_ns);
  append_le(out, limits.first_seq);
  append_le(out, static_cast<uint8_t>(limits.discard_new));
  append_le(out, static_cast<uint8_t>((limits.discard_new_per_subject ? 1 : 0) |
                                      (limits.compress ? 2 : 0)));
}

inline store_limits read_limits(byte_reader& in) {
  store_limits limits;
  limits.max_msgs = in.le<int64_t>();
  limits.max_bytes = in.le<int64_t>();
  limits.max_age_ns = in.le<int64_t>();
  limits.max_msgs_per_subject = in.le<int64_t>();
  limits.max_msg_size = in.le<int64_t>();
  limits.duplicate_window_ns = in.le<int64_t>();
  limits.subject_delete_marker_ttl_ns = in.le<int64_t>();
  limits.first_seq = in.le<uint64_t>();
  limits.discard_new = in.le<uint8_t>() != 0;
  auto flags = in.le<uint8_t>();
  limits.discard_new_per_subject = (flags & 1) != 0;
  limits.compress = (flags & 2) != 0;
  return limits;
}

}  // namespace vagus

#pragma once

#include "actors/jetstream/consumer_requests.hpp"
#include "actors/jetstream/requests.hpp"
#include "actors/jetstream/stream_config.hpp"

#include <concepts>
#include <string_view>
#include <type_traits>

namespace vagus {

/// The JSON behind -NAK.
struct nak_options {
  int64_t delay = 0;
};

// The members of every type that is read or written as JSON, once, in the order in which
// nats-server writes them. A visitor `v` has
//   v(name, x, when)           by the type of x
//   v.integer(name, x, when)   a number that nats-server calls an int
//   v.duration(name, x, when)  nanoseconds
//   v.durations(name, x, when) several of them
//   v.time(name, x, when)      RFC 3339

/// Whether an empty member is written.
enum class when : uint8_t { always, not_empty };

template <class T, class U>
concept like = std::same_as<std::remove_const_t<T>, U>;

/// What nats-server calls the type, in error messages that clients get to see.
template <class T>
inline constexpr std::string_view peer_type = "";
template <>
inline constexpr std::string_view peer_type<placement> = "Placement";
template <>
inline constexpr std::string_view peer_type<subject_transform_config> = "SubjectTransformConfig";
template <>
inline constexpr std::string_view peer_type<republish_config> = "RePublish";
template <>
inline constexpr std::string_view peer_type<external_stream> = "ExternalStream";
template <>
inline constexpr std::string_view peer_type<stream_consumer_source> = "StreamConsumerSource";
template <>
inline constexpr std::string_view peer_type<stream_source> = "StreamSource";
template <>
inline constexpr std::string_view peer_type<consumer_limits> = "StreamConsumerLimits";
template <>
inline constexpr std::string_view peer_type<stream_config> = "StreamConfig";
template <>
inline constexpr std::string_view peer_type<stream_request> = "StreamConfigRequest";
template <>
inline constexpr std::string_view peer_type<stream_info_request> = "JSApiStreamInfoRequest";
template <>
inline constexpr std::string_view peer_type<stream_names_request> = "JSApiStreamNamesRequest";
template <>
inline constexpr std::string_view peer_type<stream_list_request> = "JSApiStreamListRequest";
template <>
inline constexpr std::string_view peer_type<stream_purge_request> = "JSApiStreamPurgeRequest";
template <>
inline constexpr std::string_view peer_type<msg_get_request> = "JSApiMsgGetRequest";
template <>
inline constexpr std::string_view peer_type<msg_delete_request> = "JSApiMsgDeleteRequest";
template <>
inline constexpr std::string_view peer_type<stream_snapshot_request> = "JSApiStreamSnapshotRequest";
template <>
inline constexpr std::string_view peer_type<stream_restore_request> = "JSApiStreamRestoreRequest";
template <>
inline constexpr std::string_view peer_type<restore_state> = "StreamState";
template <>
inline constexpr std::string_view peer_type<lost_messages> = "LostStreamData";
template <>
inline constexpr std::string_view peer_type<consumer_config> = "ConsumerConfig";
template <>
inline constexpr std::string_view peer_type<consumer_request> = "CreateConsumerRequest";
template <>
inline constexpr std::string_view peer_type<consumers_request> = "JSApiConsumersRequest";
template <>
inline constexpr std::string_view peer_type<consumer_pause_request> = "JSApiConsumerPauseRequest";
template <>
inline constexpr std::string_view peer_type<consumer_unpin_request> = "JSApiConsumerUnpinRequest";
template <>
inline constexpr std::string_view peer_type<consumer_reset_request> = "JSApiConsumerResetRequest";
template <>
inline constexpr std::string_view peer_type<next_request> = "JSApiConsumerGetNextRequest";
template <>
inline constexpr std::string_view peer_type<nak_options> = "ConsumerNakOptions";

template <class V, like<placement> T>
void fields(V& v, T& x) {
  v("cluster", x.cluster, when::not_empty);
  v("tags", x.tags, when::not_empty);
  v("preferred", x.preferred, when::not_empty);
}

template <class V, like<subject_transform_config> T>
void fields(V& v, T& x) {
  v("src", x.src, when::always);
  v("dest", x.dest, when::always);
}

template <class V, like<republish_config> T>
void fields(V& v, T& x) {
  v("src", x.src, when::not_empty);
  v("dest", x.dest, when::always);
  v("headers_only", x.headers_only, when::not_empty);
}

template <class V, like<external_stream> T>
void fields(V& v, T& x) {
  v("api", x.api, when::always);
  v("deliver", x.deliver, when::always);
}

template <class V, like<stream_consumer_source> T>
void fields(V& v, T& x) {
  v("name", x.name, when::not_empty);
  v("deliver_subject", x.deliver_subject, when::not_empty);
}

template <class V, like<stream_source> T>
void fields(V& v, T& x) {
  v("name", x.name, when::always);
  v("opt_start_seq", x.opt_start_seq, when::not_empty);
  v.time("opt_start_time", x.opt_start_time, when::not_empty);
  v("filter_subject", x.filter_subject, when::not_empty);
  v("subject_transforms", x.subject_transforms, when::not_empty);
  v("external", x.external, when::not_empty);
  v("consumer", x.consumer, when::not_empty);
}

template <class V, like<consumer_limits> T>
void fields(V& v, T& x) {
  v.duration("inactive_threshold", x.inactive_threshold, when::not_empty);
  v.integer("max_ack_pending", x.max_ack_pending, when::not_empty);
}

template <class V, like<stream_config> T>
void fields(V& v, T& x) {
  v("name", x.name, when::always);
  v("description", x.description, when::not_empty);
  v("subjects", x.subjects, when::not_empty);
  v("retention", x.retention, when::always);
  v.integer("max_consumers", x.max_consumers, when::always);
  v("max_msgs", x.max_msgs, when::always);
  v("max_bytes", x.max_bytes, when::always);
  v.duration("max_age", x.max_age, when::always);
  v("max_msgs_per_subject", x.max_msgs_per_subject, when::always);
  v("max_msg_size", x.max_msg_size, when::not_empty);
  v("discard", x.discard, when::always);
  v("storage", x.storage, when::always);
  v.integer("num_replicas", x.num_replicas, when::always);
  v("no_ack", x.no_ack, when::not_empty);
  v.duration("duplicate_window", x.duplicate_window, when::not_empty);
  v("placement", x.placement, when::not_empty);
  v("mirror", x.mirror, when::not_empty);
  v("sources", x.sources, when::not_empty);
  v("compression", x.compression, when::always);
  v("first_seq", x.first_seq, when::not_empty);
  v("subject_transform", x.subject_transform, when::not_empty);
  v("republish", x.republish, when::not_empty);
  v("allow_direct", x.allow_direct, when::always);
  v("mirror_direct", x.mirror_direct, when::always);
  v("discard_new_per_subject", x.discard_new_per_subject, when::not_empty);
  v("sealed", x.sealed, when::always);
  v("deny_delete", x.deny_delete, when::always);
  v("deny_purge", x.deny_purge, when::always);
  v("allow_rollup_hdrs", x.allow_rollup_hdrs, when::always);
  v("consumer_limits", x.consumer_limits, when::always);
  v("allow_msg_ttl", x.allow_msg_ttl, when::always);
  v.duration("subject_delete_marker_ttl", x.subject_delete_marker_ttl, when::not_empty);
  v("allow_msg_counter", x.allow_msg_counter, when::not_empty);
  v("allow_atomic", x.allow_atomic, when::not_empty);
  v("allow_msg_schedules", x.allow_msg_schedules, when::not_empty);
  v("persist_mode", x.persist_mode, when::not_empty);
  v("allow_batched", x.allow_batched, when::not_empty);
  v("metadata", x.metadata, when::not_empty);
}

template <class V>
void fields(V& v, stream_request& x) {
  fields(v, x.config);
  v("pedantic", x.pedantic, when::not_empty);
}

template <class V>
void fields(V& v, stream_info_request& x) {
  v.integer("offset", x.offset, when::always);
  v("deleted_details", x.deleted_details, when::not_empty);
  v("subjects_filter", x.subjects_filter, when::not_empty);
}

template <class V>
void fields(V& v, stream_names_request& x) {
  v.integer("offset", x.offset, when::always);
  v("subject", x.subject, when::not_empty);
}

template <class V>
void fields(V& v, stream_list_request& x) {
  v.integer("offset", x.offset, when::always);
  v("subject", x.subject, when::not_empty);
}

template <class V>
void fields(V& v, stream_purge_request& x) {
  v("seq", x.seq, when::not_empty);
  v("filter", x.filter, when::not_empty);
  v("keep", x.keep, when::not_empty);
}

template <class V>
void fields(V& v, msg_get_request& x) {
  v("seq", x.seq, when::not_empty);
  v("last_by_subj", x.last_by_subj, when::not_empty);
  v("next_by_subj", x.next_by_subj, when::not_empty);
  v.integer("batch", x.batch, when::not_empty);
  v.integer("max_bytes", x.max_bytes, when::not_empty);
  v.time("start_time", x.start_time, when::not_empty);
  v("multi_last", x.multi_last, when::not_empty);
  v("up_to_seq", x.up_to_seq, when::not_empty);
  v.time("up_to_time", x.up_to_time, when::not_empty);
  v("no_hdr", x.no_hdr, when::not_empty);
}

template <class V>
void fields(V& v, msg_delete_request& x) {
  v("seq", x.seq, when::always);
  v("no_erase", x.no_erase, when::not_empty);
}

template <class V>
void fields(V& v, stream_snapshot_request& x) {
  v("deliver_subject", x.deliver_subject, when::always);
  v("no_consumers", x.no_consumers, when::not_empty);
  v.integer("chunk_size", x.chunk_size, when::not_empty);
  v.integer("window_size", x.window_size, when::not_empty);
  v("jsck", x.jsck, when::not_empty);
}

template <class V>
void fields(V& v, lost_messages& x) {
  v("msgs", x.msgs, when::always);
  v("bytes", x.bytes, when::always);
}

template <class V>
void fields(V& v, restore_state& x) {
  v("messages", x.messages, when::always);
  v("bytes", x.bytes, when::always);
  v("first_seq", x.first_seq, when::always);
  v.time("first_ts", x.first_ts, when::always);
  v("last_seq", x.last_seq, when::always);
  v.time("last_ts", x.last_ts, when::always);
  v.integer("num_subjects", x.num_subjects, when::not_empty);
  v("subjects", x.subjects, when::not_empty);
  v.integer("num_deleted", x.num_deleted, when::not_empty);
  v("deleted", x.deleted, when::not_empty);
  v("lost", x.lost, when::not_empty);
  v.integer("consumer_count", x.consumer_count, when::always);
}

template <class V>
void fields(V& v, stream_restore_request& x) {
  v("config", x.config, when::always);
  v("state", x.state, when::always);
}

template <class V, like<consumer_config> T>
void fields(V& v, T& x) {
  v("durable_name", x.durable_name, when::not_empty);
  v("name", x.name, when::not_empty);
  v("description", x.description, when::not_empty);
  v("deliver_policy", x.deliver_policy, when::always);
  v("opt_start_seq", x.opt_start_seq, when::not_empty);
  v.time("opt_start_time", x.opt_start_time, when::not_empty);
  v("ack_policy", x.ack_policy, when::always);
  v.duration("ack_wait", x.ack_wait, when::not_empty);
  v.integer("max_deliver", x.max_deliver, when::not_empty);
  v.durations("backoff", x.backoff, when::not_empty);
  v("filter_subject", x.filter_subject, when::not_empty);
  v("filter_subjects", x.filter_subjects, when::not_empty);
  v("replay_policy", x.replay_policy, when::always);
  v("rate_limit_bps", x.rate_limit_bps, when::not_empty);
  v("sample_freq", x.sample_freq, when::not_empty);
  v.integer("max_waiting", x.max_waiting, when::not_empty);
  v.integer("max_ack_pending", x.max_ack_pending, when::not_empty);
  v("flow_control", x.flow_control, when::not_empty);
  v("headers_only", x.headers_only, when::not_empty);
  v.integer("max_batch", x.max_batch, when::not_empty);
  v.duration("max_expires", x.max_expires, when::not_empty);
  v.integer("max_bytes", x.max_bytes, when::not_empty);
  v("deliver_subject", x.deliver_subject, when::not_empty);
  v("deliver_group", x.deliver_group, when::not_empty);
  v.duration("idle_heartbeat", x.idle_heartbeat, when::not_empty);
  v.duration("inactive_threshold", x.inactive_threshold, when::not_empty);
  v.integer("num_replicas", x.num_replicas, when::always);
  v("mem_storage", x.mem_storage, when::not_empty);
  v("direct", x.direct, when::not_empty);
  v("sourcing", x.sourcing, when::not_empty);
  v("metadata", x.metadata, when::not_empty);
  v.time("pause_until", x.pause_until, when::not_empty);
  v("priority_groups", x.priority_groups, when::not_empty);
  v("priority_policy", x.priority_policy, when::not_empty);
  v.duration("priority_timeout", x.priority_timeout, when::not_empty);
}

template <class V>
void fields(V& v, consumer_request& x) {
  v("stream_name", x.stream_name, when::always);
  v("config", x.config, when::always);
  v("action", x.action, when::always);
  v("pedantic", x.pedantic, when::not_empty);
}

template <class V>
void fields(V& v, consumers_request& x) {
  v.integer("offset", x.offset, when::always);
}

template <class V>
void fields(V& v, consumer_pause_request& x) {
  v.time("pause_until", x.pause_until, when::not_empty);
}

template <class V>
void fields(V& v, consumer_unpin_request& x) {
  v("group", x.group, when::always);
}

template <class V>
void fields(V& v, consumer_reset_request& x) {
  v("seq", x.seq, when::not_empty);
}

template <class V>
void fields(V& v, next_request& x) {
  v.duration("expires", x.expires, when::not_empty);
  v.integer("batch", x.batch, when::not_empty);
  v.integer("max_bytes", x.max_bytes, when::not_empty);
  v("no_wait", x.no_wait, when::not_empty);
  v.duration("idle_heartbeat", x.idle_heartbeat, when::not_empty);
  v("group", x.group, when::not_empty);
  v("min_pending", x.min_pending, when::not_empty);
  v("min_ack_pending", x.min_ack_pending, when::not_empty);
  v("id", x.id, when::not_empty);
  v.integer("priority", x.priority, when::not_empty);
}

template <class V>
void fields(V& v, nak_options& x) {
  v.duration("delay", x.delay, when::always);
}

}  // namespace vagus

#pragma once

#include "actors/jetstream/api_error.hpp"
#include "actors/jetstream/consumer_requests.hpp"
#include "actors/jetstream/stream_config.hpp"

#include <span>

namespace vagus {

/// What the server and the account allow consumers. 0 or less is no limit.
struct consumer_bounds {
  int64_t max_ack_pending = 0;
  int64_t account_max_ack_pending = 0;
  int64_t max_request_batch = 0;
  int64_t account_max_consumers = 0;
  int64_t default_max_consumers = 0;  ///< where neither stream nor account says
};

/// Which subject a consumer was asked for on.
enum class create_form : uint8_t {
  unnamed,  ///< CONSUMER.CREATE.<stream>
  named,    ///< CONSUMER.CREATE.<stream>.<consumer>[.<filter>]
  durable   ///< CONSUMER.DURABLE.CREATE.<stream>.<consumer>
};

struct create_subject {
  create_form form = create_form::unnamed;
  std::string_view stream;
  std::string_view consumer;
  std::string_view filter;
};

/// Takes apart what follows `CONSUMER.` in the subject of a request. Nothing if nobody answers
/// such a subject.
std::optional<create_subject> read_create_subject(std::string_view rest);

/// What is asked before the stream is looked up. Gives the configuration the name in the subject.
std::optional<api_error> check_consumer_request(consumer_request& request,
                                                const create_subject& subject);

/// Puts the defaults in, or says why the configuration cannot be, whatever other consumers there
/// are. For a consumer that exists `pause_until` is to be what it is already, which only
/// CONSUMER.PAUSE changes; the caller puts it there before. A `pedantic` client wants an error
/// where something other than an omission would have to be changed.
std::optional<api_error> check_consumer_config(consumer_config& config, const stream_config& stream,
                                               const consumer_bounds& bounds, bool pedantic);

/// The same of a configuration that was stored under that name: the archive of a stream that a
/// client restores may say anything. What the stream and the server allow is not asked again.
std::optional<api_error> check_stored_consumer(consumer_config& config, std::string_view name);

/// The other consumers of the stream, without those that are `direct`.
struct other_consumers {
  size_t count = 0;
  /// Only needed where the stream is a work queue.
  std::span<const consumer_config* const> configs;
};

/// Whether the stream may have one more consumer, and this one. A configuration that is checked
/// already. Ephemeral consumers get their threshold.
std::optional<api_error> check_new_consumer(consumer_config& config, const stream_config& stream,
                                            const consumer_bounds& bounds, consumer_action action,
                                            const other_consumers& others);

/// Whether the consumer `old` may become `next`, checked already. `bound` is whether somebody
/// subscribes to the old deliver subject. With `create` it must be the same as it was.
std::optional<api_error> check_consumer_update(const consumer_config& old, consumer_config& next,
                                               const stream_config& stream, consumer_action action,
                                               const other_consumers& others, bool bound);

/// What CONSUMER.PAUSE does: nothing or `zero_time` takes the pause away.
void set_pause(consumer_config& config, std::optional<int64_t> until);

/// Creating a consumer again with the configuration that it has is no error. Both checked.
bool same_config(const consumer_config& requested, const consumer_config& existing);

}  // namespace vagus

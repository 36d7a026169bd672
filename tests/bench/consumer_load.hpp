#pragma once

#include "cases.hpp"
#include "jetstream.hpp"
#include "meter.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vagus::bench {

/// Messages in a pull request of a client that fetches.
inline constexpr uint64_t fetch_batch = 500;

/// All of these read a stream BENCH that has the messages 1 to `messages` with payloads of one size
/// through consumers of their own, again and again for `seconds` and once before that, which does
/// not count. Each pass ends with a look at the consumer: all was delivered once, and acknowledged
/// where it is to be. They count messages.

/// `clients` of one durable, a thread each, fetch batches and acknowledge each message.
sample measure_fetch(const server_process& server, double seconds, unsigned clients,
                     uint64_t messages, size_t payload);

/// A client that consumes continuously, without acknowledgements.
sample measure_consume(const server_process& server, double seconds, uint64_t messages,
                       size_t payload);

/// The ordered consumer of clients: pushed, in memory, with flow control.
sample measure_ordered(const server_process& server, double seconds, uint64_t messages,
                       size_t payload);

/// One pass, from the creation of the consumer on, of those messages that `filter` lets pass, which
/// must be `matching`. Two samples: them per second, and the seconds that the creation took.
std::vector<sample> measure_filter(const server_process& server, const std::string& filter,
                                   uint64_t matching, uint64_t messages, size_t payload);

/// `messages` through a new work queue, by four publishers and four workers that fetch and
/// acknowledge, until the stream is empty.
sample measure_work_queue(const server_process& server, uint64_t messages, size_t payload);

/// Seconds from the write of a message to its arrival at a client that consumes continuously, for
/// `messages`, of which so many are published in a second, one at a time. Those of the first
/// `ignored` messages are left out.
std::vector<double> delivery_latencies(const server_process& server, double per_second,
                                       uint64_t messages, uint64_t ignored, size_t payload);

/// How a durable that `create_durables` creates is called; the first is 0.
std::string durable_name(uint64_t number);

/// Creates so many durables on the stream BENCH, with 50 requests under way.
void create_durables(const server_process& server, uint64_t count);

/// What clients have in the configuration of an ordered consumer, as JSON members.
std::string ordered_config(const std::string& deliver_subject, const std::string& deliver_policy);

/// `pass` once, which does not count, then again for so many seconds; it meters itself and returns
/// how many messages it moved.
sample repeat(const server_process& server, double seconds,
              const std::function<uint64_t(meter&)>& pass);

/// Fails unless a consumer has delivered each of `messages` once and has no more to deliver.
void check_delivered(api_client& api, const std::string& stream, const std::string& consumer,
                     uint64_t messages, bool acknowledged = false);

}  // namespace vagus::bench

#pragma once

#include "actors/jetstream/consumer_ledger.hpp"
#include "actors/jetstream/consumer_requests.hpp"
#include "actors/jetstream/jetstream_context.hpp"
#include "actors/loop_context.hpp"

#include <string_view>

namespace vagus {

/// What JetStream tells whoever is subscribed to `$JS.EVENT.ADVISORY.>`: an event is written only
/// if somebody is. Used on one event loop, outside of any other publishing.
class advisories {
public:
  advisories(loop_context& context, const jetstream_context& js) : context_{context}, js_{js} {}

  /// A request of the API and its answer.
  void audit(const api_request& request, std::string_view response, int64_t now_ns);

  void stream_created(std::string_view stream, int64_t now_ns);
  void stream_updated(std::string_view stream, int64_t now_ns);
  void stream_deleted(std::string_view stream, int64_t now_ns);

  void snapshot_created(std::string_view stream, const store_state& state, uint64_t consumers,
                        const api_request& request, int64_t now_ns);
  /// `error` empty: the client has all of it.
  void snapshot_completed(std::string_view stream, const api_request& request, int64_t start_ns,
                          int64_t now_ns, std::string_view error);
  void restore_created(std::string_view stream, const api_request& request, int64_t now_ns);
  void restore_completed(std::string_view stream, const api_request& request, uint64_t bytes,
                         int64_t start_ns, int64_t now_ns);

  // Of a consumer
  void consumer_action(std::string_view subject, std::string_view action, std::string_view stream,
                       std::string_view consumer, int64_t now_ns);
  void consumer_paused(std::string_view stream, std::string_view consumer,
                       const consumer_config& config, int64_t now_ns);
  void max_deliveries(std::string_view stream, std::string_view consumer,
                      const exhausted_message& m, int64_t now_ns);
  void message_nacked(std::string_view stream, std::string_view consumer,
                      const answered_delivery& m, int64_t now_ns);
  void message_terminated(std::string_view stream, std::string_view consumer,
                          const answered_delivery& m, std::string_view reason, int64_t now_ns);
  /// `id` empty: the client is pinned no longer, for this reason.
  void pinned(std::string_view stream, std::string_view consumer, std::string_view group,
              std::string_view id, std::string_view reason, int64_t now_ns);
  /// A metric, `$JS.EVENT.METRIC.CONSUMER.ACK.>`: acknowledged that long after `since_ns`.
  void ack_sampled(std::string_view stream, std::string_view consumer, const ack_subject& m,
                   int64_t since_ns, int64_t now_ns);

private:
  void stream_action(std::string_view subject, std::string_view action, std::string_view stream,
                     int64_t now_ns);
  /// `write` adds the members of the event to what all have.
  template <class F>
  void publish(std::string_view subject, std::string_view type, int64_t now_ns, F&& write);
  template <class F>
  void publish_as(const std::string& to, std::string_view type, int64_t now_ns, F&& write);
  template <class F>
  void of_consumer(std::string_view subject, std::string_view type, std::string_view stream,
                   std::string_view consumer, int64_t now_ns, F&& write);

  loop_context& context_;
  const jetstream_context& js_;
};

}  // namespace vagus

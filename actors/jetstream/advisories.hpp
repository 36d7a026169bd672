#pragma once

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

private:
  void stream_action(std::string_view subject, std::string_view action, std::string_view stream,
                     int64_t now_ns);
  /// `write` adds the members of the event to what all have.
  template <class F>
  void publish(std::string_view subject, std::string_view type, int64_t now_ns, F&& write);

  loop_context& context_;
  const jetstream_context& js_;
};

}  // namespace vagus

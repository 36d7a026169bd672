#pragma once

#include "actors/interfaces.hpp"
#include "actors/loop_context.hpp"
#include "actors/monitor/connz.hpp"
#include "actors/monitor/jetstream_facts.hpp"
#include "actors/monitor/subsz.hpp"
#include "actors/monitor/varz.hpp"
#include "net/http_server.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// What the monitor looks at, and where it answers. The references outlive it.
struct monitor_surroundings {
  std::vector<std::unique_ptr<loop_context>>& contexts;  ///< it is pinned to the first one's loop
  process_counters& counters;
  server_actor server;
  std::unique_ptr<listener> http;  ///< bound already
  std::chrono::system_clock::time_point started;
  const jetstream_context* jetstream = nullptr;  ///< null: it is off
};

/// Answers HTTP requests. Counters are read where they are; connections are asked for their
/// subscriptions, so many at a time, and those that end meanwhile are left out.
class monitor_state {
public:
  using handle = monitor_actor;
  static constexpr const char* name = "monitor";

  monitor_state(handle::pointer self, monitor_surroundings around);

  handle::behavior_type behavior();
  void after_run() {}

private:
  using respond = http_server::respond;

  /// The subscriptions of some connections, being collected.
  struct gathering {
    found_subscriptions result;
    std::string test;
    size_t wanted = 0;  ///< listed in all; the others are only counted
    size_t asked = 0;   ///< connections
    size_t waiting_for = 0;
    std::function<void(found_subscriptions)> done;
  };

  void on_request(std::string_view target, const respond& to);
  /// Answers with the JSON that `make` returns; it is called on another thread.
  void answer(const respond& to, std::function<std::string()> make);
  void with_connections(const respond& to, std::function<void(connections_view_ptr)> use);
  void gather(const std::shared_ptr<gathering>& g);
  void ask(const std::shared_ptr<gathering>& g, size_t index);

  void index(const respond& to);
  void varz(const respond& to);
  void connz(parameters& query, const respond& to);
  void subsz(parameters& query, const respond& to);
  void jsz(parameters& query, const respond& to);
  subject_statistics statistics(const std::string& account) const;
  const settings_ptr& current() const { return around_.contexts.front()->current; }

  handle::pointer self_;
  monitor_surroundings around_;
  renderer_actor renderer_;
  int http_port_;
  std::string base_path_;
  http_server http_;
  process_usage usage_;
  std::map<std::string, uint64_t> requests_;
};

renderer_actor::behavior_type renderer(renderer_actor::pointer self);

}  // namespace vagus

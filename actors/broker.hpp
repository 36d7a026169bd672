#pragma once

#include "actors/interfaces.hpp"
#include "actors/jetstream/jetstream_service.hpp"
#include "actors/loop_context.hpp"
#include "net/listener.hpp"
#include "net/options/options.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vagus {

/// The whole server inside one process: event loops, actors, listeners, in the order in which they
/// start, and backwards when they stop.
class broker {
public:
  using reread_options = std::function<std::optional<options>(std::string& error)>;

  /// Binds the listeners and starts all actors. Throws std::runtime_error that says what to do.
  broker(caf::actor_system& system, const options& opts, reread_options reread);
  ~broker();

  /// Blocks until the server has shut down (by a signal, or stop()).
  void wait();

  /// Asks the server to shut down; returns at once.
  void stop();

  int client_port() const { return client_port_; }

private:
  void start_loops();
  void start_actors(std::unique_ptr<listener> clients, std::unique_ptr<listener> http,
                    reread_options reread);
  void start_monitor(std::unique_ptr<listener> http);
  void end_actors();
  void announce() const;
  void write_files();

  caf::actor_system& system_;
  settings_ptr current_;
  process_counters counters_;
  account global_;
  event_loops loops_;
  std::vector<std::unique_ptr<loop_context>> contexts_;
  std::vector<timekeeper_actor> timekeepers_;
  authenticator_actor authenticator_;
  std::unique_ptr<jetstream_service> jetstream_;  ///< null: JetStream is off
  server_actor server_;
  monitor_actor monitor_;  ///< null: monitoring is off
  std::promise<void> ended_;
  std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  int client_port_ = 0;
  int http_port_ = 0;  ///< 0: monitoring is off
  std::string ports_file_;
  bool stopped_ = false;
};

}  // namespace vagus

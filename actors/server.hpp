#pragma once

#include "actors/interfaces.hpp"
#include "actors/loop_context.hpp"
#include "net/listener.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace vagus {

/// What the server needs from the program around it.
struct server_surroundings {
  event_loops& loops;
  std::vector<std::unique_ptr<loop_context>>& contexts;
  std::vector<timekeeper_actor> timekeepers;
  process_counters& counters;
  settings_ptr current;
  std::unique_ptr<listener> clients;  ///< bound already
  /// Reads the configuration again: the new options, or what is wrong with them.
  std::function<std::optional<options>(std::string& error)> reread;
  /// Called when the last connection is gone and the server actor ends.
  std::function<void()> ended;
};

/// The supervisor of the process. Pinned to the first event loop.
class server_state {
public:
  using handle = server_actor;
  static constexpr const char* name = "server";

  server_state(handle::pointer self, server_surroundings around);
  ~server_state();

  handle::behavior_type behavior();
  void after_run() {}

private:
  enum class stage : uint8_t { running, lame_duck, closing };

  void start();
  void await_signal();
  void on_signal(int number);
  void start_accepting();
  void stop_accepting();
  void on_socket(event_loop& loop, boost::asio::ip::tcp::socket socket);
  void on_accept_failure(const boost::system::error_code& why);
  void reload();
  void close_beyond_limit();
  void put_in_force(settings_ptr next);
  void lame_duck();
  void close_some();
  void close_all();
  void tick();
  void note_closed(uint64_t client_id);
  void end_if_empty();
  connections_view_ptr view() const;

  struct open_connection {
    connection_record_ptr record;
    connection_actor actor;
  };

  handle::pointer self_;
  server_surroundings around_;
  boost::asio::signal_set signals_;
  stage stage_ = stage::running;
  bool accept_paused_ = false;
  std::map<uint64_t, open_connection> open_;
  std::deque<connection_record_ptr> closed_;
  uint64_t last_client_id_ = 0;
  timed::time_point lame_duck_end_;
  timed::time_point closing_deadline_;
};

}  // namespace vagus

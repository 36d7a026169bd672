#pragma once

#include "actors/interfaces.hpp"
#include "actors/loop_context.hpp"
#include "fake_transport.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <chrono>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// Registers a thread with liburcu for as long as it lives.
struct rcu_thread {
  rcu_thread();
  ~rcu_thread();
  rcu_thread(const rcu_thread&) = delete;
  rcu_thread& operator=(const rcu_thread&) = delete;
};

struct test_config : caf::actor_system_config {
  test_config();
};

/// A broker without sockets, threads and wall clock: the actors of the real one, but for the
/// server, on event loops that run when the test says so, under CAF's test coordinator. Nothing
/// happens between two calls; the same test does the same each time.
class world {
public:
  explicit world(const options& opts = {}, size_t loops = 1);
  ~world();

  /// Runs everything that is ready, and what follows from it, without time going on.
  void settle();

  /// Lets virtual time go on, in steps of the timekeepers' resolution.
  void advance(std::chrono::nanoseconds time);

  /// Puts options in force, as the server does on SIGHUP.
  void reload(const options& opts);

  /// What the server would have been told, and what it knows.
  struct server_view {
    struct connection {
      connection_record_ptr record;
      connection_actor actor;
    };
    std::vector<connection> opened;
    std::vector<uint64_t> closed;
  };
  const server_view& server() const { return server_view_; }

  /// Sends every connection what the server would send.
  void close_all(closed_reason reason);
  void send_info();

  /// Gives up every handle of connections that is held for the server, as it does when they close.
  void forget_connections();

  /// Waits until no publisher can see what was retired, and settles: closed connections end.
  void let_retire();

  /// The actors that have not ended.
  size_t actors() { return system_.registry().running(); }

  loop_context& context(size_t loop) { return *contexts_[loop]; }

  /// A new connection on a loop, as the listener would make it.
  std::shared_ptr<fake_transport> connect(size_t loop, uint64_t client_id);
  uint64_t next_client_id() { return ++last_client_id_; }

  process_counters counters;

protected:
  caf::scheduler::test_coordinator& scheduler();
  caf::actor_system& system() { return system_; }
  std::vector<std::unique_ptr<loop_context>>& contexts() { return contexts_; }

private:
  void spawn_actors(size_t loops);
  void end_actors();
  std::shared_ptr<settings> settings_of(const options& opts) const;

  rcu_thread rcu_;
  test_config config_;
  caf::actor_system system_;
  server_view server_view_;
  account global_;
  event_loops loops_;
  std::vector<std::unique_ptr<loop_context>> contexts_;
  std::vector<timekeeper_actor> timekeepers_;
  authenticator_actor authenticator_;
  server_actor server_;
  uint64_t last_client_id_ = 0;
};

/// A client of a world: what it says arrives in one read, what it hears it hears once.
class client {
public:
  using place = std::source_location;

  static constexpr const char* usual =
      R"({"verbose":false,"pedantic":false,"headers":true,"no_responders":true})";

  /// Connects, and sends CONNECT with that JSON unless it is empty.
  explicit client(world& in, std::string_view json = usual, size_t loop = 0);

  /// Sends, and lets everything happen that follows from it.
  void says(std::string text);
  /// Sends; nothing happens until somebody says something or the world settles.
  void sends(std::string text) { socket_->arrive(std::move(text)); }

  /// Checks that this, exactly, is what came next.
  void hears(std::string_view text, place at = place::current());
  /// Checks that an INFO line came next, and returns it.
  std::string hears_info(place at = place::current());
  void hears_nothing(place at = place::current()) { hears_only("", at); }
  /// Checks that this came, and nothing after it.
  void hears_only(std::string_view text, place at = place::current());
  /// Everything that was not heard yet.
  std::string hears_all();

  /// Takes no more bytes than that from now on.
  void stops_reading(size_t after = 0) { socket_->take(after); }
  void reads_on();

  void hangs_up();
  void resets();

  bool is_closed() const { return socket_->closed(); }
  /// The server will write no more.
  bool is_told_the_end() const { return socket_->write_closed() || socket_->closed(); }
  closed_reason reason() const { return record_->reason; }
  const connection_record& record() const { return *record_; }
  const endpoint& traffic() const { return *record_->traffic; }
  fake_transport& socket() { return *socket_; }

private:
  std::string_view unheard() const { return std::string_view{socket_->written}.substr(heard_); }

  world& world_;
  std::shared_ptr<fake_transport> socket_;
  connection_record_ptr record_;
  size_t heard_ = 0;
};

}  // namespace vagus

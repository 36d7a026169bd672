#include "actors/server.hpp"

#include "actors/connection/connection.hpp"
#include "actors/pinned_actor.hpp"
#include "actors/supervision.hpp"
#include "net/log.hpp"
#include "net/options/compare.hpp"
#include "net/tcp_transport.hpp"

#include <algorithm>
#include <csignal>

namespace vagus {

namespace {

using namespace std::chrono_literals;

/// How often the server looks whether accepting, lame duck or shutdown can go on.
constexpr auto tick_interval = 100ms;
/// Connections that have not ended by then are left behind, and the log says so.
constexpr auto closing_patience = 3s;

std::string_view signal_name(int number) {
  switch (number) {
    case SIGINT:
      return "interrupt";
    case SIGTERM:
      return "terminated";
    case SIGHUP:
      return "hangup";
    case SIGUSR1:
      return "user defined signal 1";
    default:
      return "user defined signal 2";
  }
}

}  // namespace

server_state::server_state(handle::pointer self, server_surroundings around)
    : self_{self},
      around_{std::move(around)},
      signals_{around_.loops.at(0).io(), SIGINT, SIGTERM, SIGHUP} {
  signals_.add(SIGUSR1);
  signals_.add(SIGUSR2);
}

server_state::~server_state() = default;

server_actor::behavior_type server_state::behavior() {
  supervise(self_);
  start();
  return {
      [this](opened_atom, const connection_record_ptr& record, const connection_actor& actor) {
        open_[record->client_id] = {record, actor};
        if (stage_ == stage::closing)
          self_->send(actor, close_atom::value, closed_reason::server_shutdown);
      },
      [this](closed_atom, uint64_t client_id) { note_closed(client_id); },
      [this](reload_atom) { reload(); },
      [this](lameduck_atom) { lame_duck(); },
      [this](close_atom) { close_all(); },
      [this](tick_atom) { tick(); },
      [this](connz_atom) { return view(); },
  };
}

void server_state::start() {
  for (auto& context : around_.contexts) context->server = server_actor{self_};
  await_signal();
  start_accepting();
  self_->delayed_send(self_, tick_interval, tick_atom::value);
}

void server_state::tick() {
  auto now = self_->clock().now();
  if (accept_paused_ && stage_ == stage::running) start_accepting();
  if (stage_ == stage::lame_duck && now >= lame_duck_end_) close_some();
  if (stage_ == stage::closing && now >= closing_deadline_) {
    log_error("{} connections did not close in time", open_.size());
    open_.clear();
    end_if_empty();
  }
  self_->delayed_send(self_, tick_interval, tick_atom::value);
}

// ---- signals ----

void server_state::await_signal() {
  signals_.async_wait([this](const boost::system::error_code& failed, int number) {
    if (failed) return;
    on_signal(number);
    await_signal();
  });
}

/// Outside of the actor's turn, so that it only sends itself messages.
void server_state::on_signal(int number) {
  server_actor self{self_};
  log_info("Trapped \"{}\" signal", signal_name(number));
  switch (number) {
    case SIGHUP:
      self_->send(self, reload_atom::value);
      break;
    case SIGUSR1:
      reopen_log();
      log_info("File log re-opened");
      break;
    case SIGUSR2:
      self_->send(self, lameduck_atom::value);
      break;
    case SIGTERM:
      // Lame duck mode ends by itself.
      if (stage_ != stage::lame_duck) self_->send(self, close_atom::value);
      break;
    default:
      self_->send(self, close_atom::value);
  }
}

// ---- accepting ----

void server_state::start_accepting() {
  if (accept_paused_) log_info("Accepting client connections again");
  accept_paused_ = false;
  around_.clients->accept(
      around_.loops, [this](event_loop& loop, auto socket) { on_socket(loop, std::move(socket)); },
      [this](const auto& why) { on_accept_failure(why); });
}

void server_state::stop_accepting() {
  around_.counters.accepting = false;
  around_.clients->stop();
}

void server_state::on_socket(event_loop& loop, boost::asio::ip::tcp::socket socket) {
  around_.counters.connections.fetch_add(1);
  spawn_pinned<connection_state>(self_->system(), loop, std::ref(*around_.contexts[loop.index()]),
                                 std::make_shared<tcp_transport>(loop, std::move(socket)),
                                 ++last_client_id_);
}

/// Out of file descriptors or memory: connections that are there go on, new ones wait.
void server_state::on_accept_failure(const boost::system::error_code& why) {
  if (!accept_paused_)
    log_error(
        "Cannot accept client connections: {}; raise the limit of open files (ulimit -n) or "
        "lower max_connections. Trying again as long as it takes",
        why.message());
  accept_paused_ = true;
}

// ---- connections ----

void server_state::note_closed(uint64_t client_id) {
  auto it = open_.find(client_id);
  if (it == open_.end()) return;
  auto& counters = around_.counters;
  const auto& traffic = it->second.record->traffic->counters;
  counters.in_msgs.fetch_add(traffic.in_msgs);
  counters.in_bytes.fetch_add(traffic.in_bytes);
  counters.out_msgs.fetch_add(traffic.out_msgs);
  counters.out_bytes.fetch_add(traffic.out_bytes);
  counters.connections.fetch_sub(1);
  it->second.record->actor = nullptr;
  closed_.push_back(it->second.record);
  auto keep = static_cast<size_t>(std::max<int64_t>(around_.current->opts.max_closed_clients, 0));
  while (closed_.size() > keep) closed_.pop_front();
  open_.erase(it);
  end_if_empty();
}

connections_view_ptr server_state::view() const {
  auto v = std::make_shared<connections_view>();
  for (const auto& [id, c] : open_) v->open.push_back(c.record);
  v->closed.assign(closed_.begin(), closed_.end());
  v->total = last_client_id_;
  const auto& c = around_.counters;
  v->ended = {c.in_msgs, c.in_bytes, c.out_msgs, c.out_bytes};
  return v;
}

// ---- reload ----

void server_state::reload() {
  std::string error;
  auto next = around_.reread(error);
  if (!next) {
    log_error("Failed to reload server configuration: {}", error);
    return;
  }
  auto changes = compare_options(around_.current->opts, *next);
  for (const auto& change : changes) {
    if (change.reloadable) continue;
    log_error(
        "Failed to reload server configuration: config reload not supported for {}: old={}, "
        "new={}",
        change.name, change.before, change.after);
    return;
  }
  try {
    open_log(*next);
  } catch (const std::exception& e) {
    log_error("Failed to reload server configuration: {}", e.what());
    return;
  }
  for (const auto& change : changes) log_info("Reloaded: {} = {}", change.name, change.after);
  auto changed = std::make_shared<settings>(*around_.current);
  changed->put(*next);
  put_in_force(std::move(changed));
  close_beyond_limit();
  log_info("Reloaded server configuration");
}

/// A lower max_connections holds for those who are there as well.
void server_state::close_beyond_limit() {
  auto limit = static_cast<size_t>(std::max<int64_t>(around_.current->opts.max_connections, 0));
  if (open_.size() <= limit) return;
  auto excess = open_.size() - limit;
  log_info("Closed {} connections to fall within max_connections", excess);
  for (auto it = open_.rbegin(); excess > 0; ++it, --excess)
    self_->send(it->second.actor, close_atom::value, closed_reason::max_connections);
}

void server_state::put_in_force(settings_ptr next) {
  around_.current = std::move(next);
  for (auto& timekeeper : around_.timekeepers)
    self_->send(timekeeper, reload_atom::value, around_.current);
  for (const auto& [id, c] : open_) self_->send(c.actor, reload_atom::value, around_.current);
}

// ---- lame duck and shutdown ----

void server_state::lame_duck() {
  if (stage_ != stage::running) return;
  stage_ = stage::lame_duck;
  stop_accepting();
  log_info("Entering lame duck mode, stop accepting new clients");
  auto changed = std::make_shared<settings>(*around_.current);
  changed->info.lame_duck = true;
  put_in_force(std::move(changed));
  for (const auto& [id, c] : open_) self_->send(c.actor, info_atom::value, around_.current);
  auto grace = std::min(around_.current->opts.lame_duck_grace_period,
                        around_.current->opts.lame_duck_duration);
  lame_duck_end_ = self_->clock().now() + grace;
  if (open_.empty()) close_all();
}

/// Closes a share of the clients, so that all are gone at the end of the lame duck duration.
void server_state::close_some() {
  const auto& opts = around_.current->opts;
  auto spread = std::max<std::chrono::nanoseconds>(
      opts.lame_duck_duration - opts.lame_duck_grace_period, tick_interval);
  auto ends = lame_duck_end_ + spread;
  auto left = ends - self_->clock().now();
  if (left <= tick_interval || open_.empty()) {
    close_all();
    return;
  }
  auto share =
      open_.size() * static_cast<size_t>(tick_interval / 1ns) / static_cast<size_t>(left / 1ns) + 1;
  for (auto it = open_.begin(); it != open_.end() && share > 0; ++it, --share)
    self_->send(it->second.actor, close_atom::value, closed_reason::server_shutdown);
}

void server_state::close_all() {
  if (stage_ == stage::closing) return;
  stage_ = stage::closing;
  log_info("Initiating Shutdown...");
  stop_accepting();
  closing_deadline_ = self_->clock().now() + closing_patience;
  for (const auto& [id, c] : open_)
    self_->send(c.actor, close_atom::value, closed_reason::server_shutdown);
  end_if_empty();
}

void server_state::end_if_empty() {
  if (!open_.empty()) return;
  if (stage_ == stage::lame_duck) {
    close_all();
    return;
  }
  if (stage_ != stage::closing) return;
  boost::system::error_code ignored;  // nothing waits for signals any more
  signals_.cancel(ignored);
  around_.ended();
  self_->quit();
}

}  // namespace vagus

#include "actors/broker.hpp"

#include "actors/authenticator.hpp"
#include "actors/monitor/monitor.hpp"
#include "actors/pinned_actor.hpp"
#include "actors/server.hpp"
#include "actors/subject_space.hpp"
#include "actors/supervision.hpp"
#include "actors/timekeeper.hpp"
#include "net/log.hpp"
#include "net/nkey.hpp"
#include "net/options/version.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <nlohmann/json.hpp>
#include <urcu/urcu-memb.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <unistd.h>

namespace vagus {

namespace {

size_t loop_count(const options& opts) {
  if (opts.event_loops > 0) return static_cast<size_t>(opts.event_loops);
  return std::max<size_t>(std::thread::hardware_concurrency(), 1);
}

std::shared_ptr<settings> first_settings(const options& opts, int client_port) {
  auto s = std::make_shared<settings>();
  s->info.server_id = make_server_id();
  s->client_port = client_port;
  s->put(opts);
  return s;
}

void write_file(const std::string& path, const std::string& text, std::string_view option) {
  std::ofstream out{path, std::ios::trunc};
  out << text;
  out.close();
  if (!out)
    throw std::runtime_error{fmt::format(
        "cannot write \"{}\" ({}): name a file in a directory that exists and can be written", path,
        option)};
}

}  // namespace

broker::broker(caf::actor_system& system, const options& opts, reread_options reread)
    : system_{system}, global_{"$G", {}, {}}, loops_{system, loop_count(opts), opts.idle_poll} {
  auto clients = std::make_unique<listener>(loops_.at(0), opts.host, opts.port);
  client_port_ = clients->port();
  std::unique_ptr<listener> http;
  if (opts.http_port != 0)
    http = std::make_unique<listener>(loops_.at(0), opts.http_host, opts.http_port, "-m");
  current_ = first_settings(opts, client_port_);
  announce();
  start_loops();
  try {
    start_actors(std::move(clients), std::move(http), std::move(reread));
  } catch (...) {
    // What runs by now ends before what it uses.
    if (server_) {
      stop();
      wait();
    } else {
      end_actors();
    }
    throw;
  }
  log_info("Listening for client connections on {}:{}", opts.host, client_port_);
  log_info("Server is ready");
}

/// Everything that may be refused once the event loops run.
void broker::start_actors(std::unique_ptr<listener> clients, std::unique_ptr<listener> http,
                          reread_options reread) {
  if (current_->opts.jetstream)
    jetstream_ = std::make_unique<jetstream_service>(system_, *current_, contexts_);
  server_ = spawn_pinned<server_state>(
      system_, loops_.at(0),
      server_surroundings{loops_, contexts_, timekeepers_, counters_, current_, std::move(clients),
                          std::move(reread), [this] { ended_.set_value(); }});
  if (http) start_monitor(std::move(http));
  write_files();
}

void broker::start_loops() {
  for (size_t i = 0; i < loops_.size(); ++i)
    contexts_.push_back(
        std::make_unique<loop_context>(loops_.at(i), loops_.size(), global_, counters_, current_));
  global_.space = spawn_pinned<subject_space_state>(system_, loops_.at(0), std::ref(global_));
  // With a thread of its own: else it would run where it is asked, on an event loop.
  authenticator_ = system_.spawn<caf::detached>(authenticator);
  for (auto& context : contexts_) {
    context->authenticator = authenticator_;
    context->loop_time = system_.clock().now();
    timekeepers_.push_back(
        spawn_pinned<timekeeper_state>(system_, context->loop, std::ref(*context)));
  }
  loops_.start([](const std::string& what) { core_failed("An event loop failed: " + what); });
}

void broker::start_monitor(std::unique_ptr<listener> http) {
  http_port_ = http->port();
  log_info("Starting http monitor on {}:{}", current_->opts.http_host, http_port_);
  monitor_ = spawn_pinned<monitor_state>(
      system_, loops_.at(0),
      monitor_surroundings{contexts_, counters_, server_, std::move(http), started_,
                           jetstream_ ? &jetstream_->context() : nullptr});
}

broker::~broker() {
  if (!stopped_) {
    stop();
    wait();
  }
}

void broker::stop() {
  caf::anon_send(server_, close_atom::value);
}

void broker::wait() {
  ended_.get_future().wait();
  server_ = nullptr;
  end_actors();
  log_info("Server Exiting..");
  flush_log();
}

void broker::end_actors() {
  stopped_ = true;
  if (monitor_) caf::anon_send(monitor_, end_atom::value);
  monitor_ = nullptr;
  // What it knows is looked at until the last actor has ended.
  if (jetstream_) jetstream_->stop();
  for (auto& timekeeper : timekeepers_) caf::anon_send(timekeeper, end_atom::value);
  timekeepers_.clear();
  caf::anon_send(global_.space, end_atom::value);
  caf::anon_send(authenticator_, end_atom::value);
  global_.space = nullptr;
  authenticator_ = nullptr;
  // Every actor has ended before the threads that they run on.
  system_.await_all_actors_done();
  loops_.stop();
  urcu_memb_barrier();
  if (!ports_file_.empty()) {
    std::error_code ignored;  // somebody has removed it already
    std::filesystem::remove(ports_file_, ignored);
  }
}

void broker::announce() const {
  const auto& info = current_->info;
  log_info("Starting vagus");
  log_info("  Version:  {} (as nats-server {})", vagus_version, nats_version);
  log_info("  Name:     {}", info.server_name);
  log_info("  ID:       {}", info.server_id);
  log_info("  Loops:    {}", loops_.size());
  if (!current_->opts.config_file.empty())
    log_info("Using configuration file: {} ({})", current_->opts.config_file,
             current_->opts.config_digest);
}

/// The pid file, and the file that names the ports (`<program>_<pid>.ports`).
void broker::write_files() {
  const auto& opts = current_->opts;
  if (!opts.pid_file.empty()) write_file(opts.pid_file, std::to_string(getpid()), "pid_file");
  if (opts.ports_file_dir.empty()) return;
  nlohmann::ordered_json ports{{"nats", {fmt::format("nats://{}:{}", opts.host, client_port_)}}};
  if (http_port_ != 0)
    ports["monitoring"] = {fmt::format("http://{}:{}", opts.http_host, http_port_)};
  auto program = std::filesystem::read_symlink("/proc/self/exe").filename().string();
  ports_file_ = fmt::format("{}/{}_{}.ports", opts.ports_file_dir, program, getpid());
  write_file(ports_file_ + ".new", ports.dump(), "ports_file_dir");
  std::filesystem::rename(ports_file_ + ".new", ports_file_);
}

}  // namespace vagus

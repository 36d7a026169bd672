#include "world.hpp"

#include "actors/authenticator.hpp"
#include "actors/connection/connection.hpp"
#include "actors/pinned_actor.hpp"
#include "actors/subject_space.hpp"
#include "actors/timekeeper.hpp"

#include <caf/send.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <urcu/urcu-memb.h>

#include <cstdlib>

namespace vagus {

namespace {

/// Takes the server's place: notes who came and went.
server_actor::behavior_type stand_in(server_actor::pointer self, world::server_view* view,
                                     process_counters* counters) {
  return {
      [=](opened_atom, const connection_record_ptr& record, const connection_actor& actor) {
        view->opened.push_back({record, actor});
      },
      [=](closed_atom, uint64_t client_id) {
        view->closed.push_back(client_id);
        for (auto& c : view->opened)
          if (c.record->client_id == client_id) c.actor = nullptr;
        counters->connections.fetch_sub(1);
      },
      [](reload_atom) {},
      [](lameduck_atom) {},
      [self](close_atom) { self->quit(); },
      [](tick_atom) {},
      [](connz_atom) -> connections_view_ptr { return std::make_shared<connections_view>(); },
  };
}

std::string where(client::place at) {
  return fmt::format("{}:{}", at.file_name(), at.line());
}

}  // namespace

rcu_thread::rcu_thread() {
  urcu_memb_register_thread();
}
rcu_thread::~rcu_thread() {
  urcu_memb_unregister_thread();
}

test_config::test_config() {
  set("scheduler.policy", caf::atom("testing"));
}

// ---- world ----

world::world(const options& opts, size_t loops)
    : system_{config_}, global_{"$G", {}, {}}, loops_{system_, loops} {
  auto current = settings_of(opts);
  for (size_t i = 0; i < loops; ++i)
    contexts_.push_back(
        std::make_unique<loop_context>(loops_.at(i), loops, global_, counters, current));
  spawn_actors(loops);
  settle();
}

world::~world() {
  end_actors();
  if (auto left = system_.registry().running()) {
    fmt::print(stderr, "{} actors of a test have not ended\n", left);
    std::abort();
  }
}

void world::spawn_actors(size_t loops) {
  server_ = system_.spawn(stand_in, &server_view_, &counters);
  global_.space = spawn_pinned<subject_space_state>(system_, loops_.at(0), std::ref(global_));
  authenticator_ = system_.spawn(authenticator);
  for (size_t i = 0; i < loops; ++i) {
    auto& context = *contexts_[i];
    context.server = server_;
    context.authenticator = authenticator_;
    context.loop_time = system_.clock().now();
    timekeepers_.push_back(
        spawn_pinned<timekeeper_state>(system_, loops_.at(i), std::ref(context)));
  }
}

void world::end_actors() {
  close_all(closed_reason::server_shutdown);
  advance(std::chrono::seconds{3});  // who lingers is closed by then
  let_retire();
  server_view_.opened.clear();
  for (auto& t : timekeepers_) caf::anon_send(t, end_atom::value);
  caf::anon_send(global_.space, end_atom::value);
  caf::anon_send(authenticator_, end_atom::value);
  caf::anon_send(server_, close_atom::value);
  timekeepers_.clear();
  global_.space = nullptr;
  authenticator_ = nullptr;
  server_ = nullptr;
  settle();
}

caf::scheduler::test_coordinator& world::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
}

std::shared_ptr<settings> world::settings_of(const options& opts) const {
  auto s = std::make_shared<settings>();
  s->info.server_id = "SERVER";
  s->client_port = 4222;
  s->put(opts);
  return s;
}

void world::settle() {
  for (size_t ran = 1; ran > 0;) {
    ran = 0;
    for (size_t i = 0; i < loops_.size(); ++i) ran += loops_.at(i).run_ready();
    while (scheduler().try_run_once()) ++ran;
  }
}

void world::advance(std::chrono::nanoseconds time) {
  while (time.count() > 0) {
    auto step = std::min<std::chrono::nanoseconds>(time, timekeeper_state::resolution);
    scheduler().advance_time(step);
    settle();
    time -= step;
  }
}

void world::reload(const options& opts) {
  settings_ptr next = settings_of(opts);
  for (auto& t : timekeepers_) caf::anon_send(t, reload_atom::value, next);
  for (auto& c : server_view_.opened)
    if (c.actor) caf::anon_send(c.actor, reload_atom::value, next);
  settle();
}

void world::forget_connections() {
  for (auto& c : server_view_.opened) {
    c.actor = nullptr;
    c.record->actor = nullptr;
  }
}

void world::close_all(closed_reason reason) {
  for (auto& c : server_view_.opened)
    if (c.actor) caf::anon_send(c.actor, close_atom::value, reason);
  settle();
}

void world::send_info() {
  for (auto& c : server_view_.opened)
    if (c.actor) caf::anon_send(c.actor, info_atom::value, contexts_[0]->current);
  settle();
}

void world::let_retire() {
  urcu_memb_barrier();
  settle();
}

std::shared_ptr<fake_transport> world::connect(size_t loop, uint64_t client_id) {
  auto socket = std::make_shared<fake_transport>(&loops_.at(loop));
  counters.connections.fetch_add(1);
  spawn_pinned<connection_state>(system_, loops_.at(loop), std::ref(*contexts_[loop]),
                                 transport_ptr{socket}, client_id);
  settle();
  return socket;
}

// ---- client ----

client::client(world& in, std::string_view json, size_t loop) : world_{in} {
  auto id = in.next_client_id();
  socket_ = in.connect(loop, id);
  for (const auto& c : in.server().opened)
    if (c.record->client_id == id) record_ = c.record;
  REQUIRE(record_ != nullptr);
  hears_info();
  if (!json.empty()) says(fmt::format("CONNECT {}\r\n", json));
}

void client::says(std::string text) {
  sends(std::move(text));
  world_.settle();
}

void client::hears(std::string_view text, place at) {
  INFO(where(at));
  CHECK(unheard().substr(0, text.size()) == text);
  heard_ += std::min(text.size(), unheard().size());
}

void client::hears_only(std::string_view text, place at) {
  INFO(where(at));
  CHECK(hears_all() == text);
}

std::string client::hears_info(place at) {
  INFO(where(at));
  auto line = std::string{unheard().substr(0, unheard().find('\n') + 1)};
  CHECK(line.substr(0, 5) == "INFO ");
  heard_ += line.size();
  return line;
}

std::string client::hears_all() {
  std::string all{unheard()};
  heard_ += all.size();
  return all;
}

void client::reads_on() {
  socket_->take_all();
  world_.settle();
}

void client::hangs_up() {
  socket_->arrive_end();
  world_.settle();
}

void client::resets() {
  socket_->reset();
  world_.settle();
}

}  // namespace vagus

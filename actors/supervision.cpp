#include "actors/supervision.hpp"

#include "net/log.hpp"

#include <caf/actor_system.hpp>

#include <cstdlib>
#include <exception>
#include <mutex>
#include <utility>

namespace vagus {

namespace {

std::mutex handler_mutex;

void end_process(const std::string& what) {
  log_fatal("{}. This is a defect of the server, which ends now; please report it with this log",
            what);
  flush_log();
  std::quick_exit(1);
}

core_failure_handler& handler() {
  static core_failure_handler current = end_process;
  return current;
}

}  // namespace

core_failure_handler on_core_failure(core_failure_handler next) {
  std::lock_guard lock{handler_mutex};
  return std::exchange(handler(), std::move(next));
}

void core_failed(const std::string& what) {
  std::lock_guard lock{handler_mutex};
  handler()(what);
}

void supervise(caf::scheduled_actor* self) {
  self->set_exception_handler([](caf::scheduled_actor* failed, std::exception_ptr& thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      core_failed(fmt::format("Actor {} failed: {}", failed->name(), e.what()));
    } catch (...) {
      core_failed(fmt::format("Actor {} failed with an unknown exception", failed->name()));
    }
    return caf::make_error(caf::exit_reason::unhandled_exception);
  });
  self->set_error_handler([](caf::scheduled_actor* at, caf::error& e) {
    log_error("Actor {}: unexpected error answer: {}", at->name(), at->system().render(e));
  });
}

}  // namespace vagus

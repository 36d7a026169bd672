#include "actors/supervision.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>

#include "world.hpp"

namespace vagus {

namespace {

struct collected_failures {
  std::string what;
  core_failure_handler before = on_core_failure([this](const std::string& w) { what = w; });
  ~collected_failures() { on_core_failure(std::move(before)); }
};

}  // namespace

TEST_CASE("supervision: a core actor that throws is a core failure that names it") {
  collected_failures failures;
  test_config config;
  caf::actor_system system{config};
  auto actor = system.spawn([](caf::event_based_actor* self) -> caf::behavior {
    supervise(self);
    return {[](int) { throw std::runtime_error{"the disk is made of cheese"}; }};
  });
  caf::anon_send(actor, 1);
  dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler()).run();
  CHECK(failures.what.find("the disk is made of cheese") != std::string::npos);
  CHECK(failures.what.find("Actor ") == 0);
}

}  // namespace vagus

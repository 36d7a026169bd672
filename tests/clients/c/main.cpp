#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <nats/nats.h>

int main(int argc, char* argv[]) {
  int failed = Catch::Session().run(argc, argv);
  nats_CloseAndWait(5000);
  return failed;
}

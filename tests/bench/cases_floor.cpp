#include "cases.hpp"
#include "floor_load.hpp"
#include "throughput.hpp"

namespace vagus::bench {

namespace {

bench_case make(const std::string& size_name, size_t payload) {
  const std::string name = "floor-" + size_name;
  bench_case result;
  result.name = name;
  result.what =
      "vagus 1:1 against a relay that only moves as many bytes, " + std::to_string(payload) + " B";
  result.rows = {{name, "msg/s", {goal::kind::ratio_at_least, 0.6}}};
  result.run = [payload](const auto& server, const auto& how) {
    return measure_rate(server, how, one_to_one(payload));
  };
  result.relay_args = {"--payload", std::to_string(payload)};
  result.run_relay = [payload](const auto& relay, const auto& how) {
    run_through_relay(relay, how, payload, how.warm_up);
    return std::vector<sample>{rate_of(run_through_relay(relay, how, payload, how.seconds))};
  };
  return result;
}

}  // namespace

std::vector<bench_case> floor_cases() {
  return {make("16", 16), make("128", 128), make("1k", 1024)};
}

}  // namespace vagus::bench

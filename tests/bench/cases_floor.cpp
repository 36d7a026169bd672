#include "cases.hpp"

namespace vagus::bench {

std::vector<bench_case> floor_cases() {
  return {};
}

}  // namespace vagus::bench

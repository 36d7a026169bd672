#include "cases.hpp"

namespace vagus::bench {

std::vector<bench_case> scale_cases() {
  return {};
}

}  // namespace vagus::bench

#include "cases.hpp"

namespace vagus::bench {

std::vector<bench_case> request_cases() {
  return {};
}

}  // namespace vagus::bench

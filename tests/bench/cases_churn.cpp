#include "cases.hpp"

namespace vagus::bench {

std::vector<bench_case> churn_cases() {
  return {};
}

}  // namespace vagus::bench

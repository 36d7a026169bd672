#include "cases.hpp"

#include <iterator>

namespace vagus::bench {

std::vector<bench_case> all_cases() {
  std::vector<bench_case> result;
  for (auto family : {throughput_cases, request_cases, scale_cases, churn_cases, floor_cases,
                      stream_publish_cases, stream_read_cases, consumer_cases, kv_cases}) {
    auto more = family();
    std::move(more.begin(), more.end(), std::back_inserter(result));
  }
  return result;
}

}  // namespace vagus::bench

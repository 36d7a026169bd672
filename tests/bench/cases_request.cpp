#include "cases.hpp"
#include "request_load.hpp"

namespace vagus::bench {

namespace {

bench_case make(const std::string& name, const std::string& text, double at_least,
                unsigned requesters) {
  return {name,
          text,
          {{name, "req/s", {goal::kind::ratio_at_least, at_least}}},
          [requesters](const server_process& server, const options& how) {
            request_load load(server, requesters);
            load.run(how.warm_up);
            return std::vector<sample>{load.run(how.seconds)};
          }};
}

}  // namespace

std::vector<bench_case> request_cases() {
  return {make("request-1", "1 requester with one request in flight, 1 responder, 128 B", 1.2, 1),
          make("request-32", "32 requesters with one in flight each, 1 responder, 128 B", 2, 32)};
}

}  // namespace vagus::bench

#include "actors/jetstream/consumer_requests.hpp"
#include "actors/jetstream/json_text.hpp"
#include "actors/jetstream/rfc3339.hpp"
#include "net/subject.hpp"
#include "target.hpp"

#include <algorithm>

using namespace vagus;
using namespace vagus::fuzz;

namespace {

void check_next(std::string_view body) {
  next_request request;
  auto problem = read_next_request(body, request);
  require(problem.empty() || request.formal, "only JSON is refused");
  require(request.formal || request.expires == 0, "a number is a batch and nothing else");
  if (problem.empty() && request.formal && request.idle_heartbeat > 0)
    require(request.idle_heartbeat <= request.expires / 2, "a heartbeat comes before the end");
}

void check_body(std::string_view payload) {
  auto body = read_ack_body(payload);
  for (auto part : {body.bad_delay, body.next, body.reason})
    require(lies_in(part, payload), "views of a payload lie in it");
  bool nak = body.kind == ack_kind::nak;
  require(nak || (!body.delay_ns && body.bad_delay.empty()), "only a nak has a delay");
  require(!body.delay_ns || body.bad_delay.empty(), "a delay is good or bad");
  if (body.kind == ack_kind::next) check_next(body.next);
}

void check_subject(std::string_view subject) {
  auto ack = read_ack_subject(subject);
  if (!ack) return;
  require(lies_in(ack->stream, subject) && lies_in(ack->consumer, subject),
          "views of a subject lie in it");
  require(ack->time_ns >= 0, "digits make no number below zero");
  auto dots = std::count(subject.begin(), subject.end(), '.');
  if (dots < 10 || !valid_literal_subject(subject)) return;
  auto shorter = short_consumer_subject(subject);
  auto again = read_ack_subject(shorter);
  require(again && again->stream == ack->stream && again->consumer == ack->consumer &&
              again->deliveries == ack->deliveries && again->stream_seq == ack->stream_seq &&
              again->consumer_seq == ack->consumer_seq && again->time_ns == ack->time_ns &&
              again->pending == ack->pending,
          "without domain and account a subject says the same");
}

void check_times(const std::string& line) {
  if (auto duration = parse_go_duration(line))
    require(parse_go_duration(go_duration(*duration)) == duration, "a duration is read as written");
  auto time = parse_rfc3339(line);
  if (!time.error.empty()) return;
  auto again = parse_rfc3339(rfc3339(time.time_ns));
  require(again.error.empty() && again.time_ns == time.time_ns, "a time is read as written");
}

}  // namespace

/// Every line is an acknowledgement's payload, its subject, a request for messages, and a time.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (const auto& line : lines_of(text_of(data, size))) {
    check_body(line);
    check_subject(line);
    check_next(line);
    check_times(line);
  }
  return 0;
}

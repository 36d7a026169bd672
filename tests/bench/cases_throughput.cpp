#include "cases.hpp"
#include "throughput.hpp"

#include <cstdio>

namespace vagus::bench {

namespace {

using kind = goal::kind;

bench_case make(const std::string& name, const std::string& text, double at_least,
                const topology& what) {
  return {name,
          text,
          {{name, "msg/s", {kind::ratio_at_least, at_least}}},
          [what](const auto& server, const auto& how) { return measure_rate(server, how, what); }};
}

topology one_subject(unsigned publishers, unsigned subscribers, size_t payload) {
  topology what = one_to_one(payload);
  what.publishers = publishers;
  what.subscribers = subscribers;
  return what;
}

topology queue_of_four() {
  topology what = one_subject(1, 4, 128);
  what.subscriptions = "SUB bench.data workers 1\r\n";
  what.shared = true;
  return what;
}

/// Every subject has one subscription on the one subscriber: each tenth is matched by a wildcard,
/// the others literally.
topology thousand_subjects() {
  topology what;
  what.subjects.clear();
  what.subscriptions.clear();
  for (int i = 0; i < 1000; ++i) {
    char subject[32];
    std::snprintf(subject, sizeof subject, "bench.%03d.x", i);
    what.subjects.push_back(subject);
    const std::string interest =
        i % 10 == 0 ? what.subjects.back().substr(0, 10) + "*" : what.subjects.back();
    what.subscriptions += "SUB " + interest + " " + std::to_string(1000 + i) + "\r\n";
  }
  what.shape = varying_shape_of(what.subjects.front(), 6, "1000", what.payload);
  return what;
}

/// The case that also answers what a delivered message costs the server.
bench_case one_to_one_with_cpu() {
  bench_case result = make("1:1-128", "1 publisher, 1 subscriber, 128 B", 2.5, one_to_one(128));
  result.rows.push_back({"1:1-128 server CPU", "ns/msg", {kind::ratio_at_most, 0.4}});
  result.run = [rate = result.run](const auto& server, const auto& how) {
    auto samples = rate(server, how);
    samples.push_back({samples.front().server_ns});
    return samples;
  };
  return result;
}

}  // namespace

std::vector<bench_case> throughput_cases() {
  std::vector<bench_case> result;
  result.push_back(make("pub-16", "publish only, 16 B", 5, one_subject(1, 0, 16)));
  result.push_back(make("1:1-16", "1 publisher, 1 subscriber, 16 B", 5, one_to_one(16)));
  result.push_back(one_to_one_with_cpu());
  result.push_back(make("1:1-1k", "1 publisher, 1 subscriber, 1 KiB", 1.3, one_to_one(1024)));
  result.push_back(make("1:1-64k", "1 publisher, 1 subscriber, 64 KiB", 1.2, one_to_one(65536)));
  result.push_back(make("1:4-128", "1 publisher, 4 subscribers, 128 B", 3, one_subject(1, 4, 128)));
  result.push_back(
      make("4:4-128", "4 publishers, 4 subscribers, 128 B", 3, one_subject(4, 4, 128)));
  result.push_back(make("queue-128", "1 publisher, queue group of 4, 128 B", 3, queue_of_four()));
  result.push_back(make("subjects-128", "1000 subjects in random order, a tenth by wildcard, 128 B",
                        3, thousand_subjects()));
  return result;
}

}  // namespace vagus::bench

#include "cases.hpp"
#include "connection.hpp"
#include "growth.hpp"

#include <cstdio>

namespace vagus::bench {

namespace {

using kind = goal::kind;

std::vector<sample> memory_and_rate(const growth& grown, double count) {
  auto all = grown.per(count);
  all.resize(2);
  return all;
}

/// Three steps per connection (connect, CONNECT, PONG), each far enough behind the one before that
/// the server always has connections to accept, to greet and to answer.
std::vector<sample> idle_connections(const server_process& server, const options& how) {
  const size_t count = how.quick ? 300 : 10'000;
  const size_t lag = 100;
  connection::client(server.port()).flush();
  std::vector<connection> links;
  links.reserve(count);
  const growth grown(server);
  for (size_t i = 0; i < count + 2 * lag; ++i) {
    if (i < count) links.emplace_back(server.port());
    if (i >= lag && i - lag < count) links[i - lag].hello();
    if (i >= 2 * lag) links[i - 2 * lag].await_pong();
  }
  return memory_and_rate(grown, static_cast<double>(count));
}

std::string subscriptions(size_t connection_index, size_t first, size_t count) {
  std::string text;
  for (size_t i = first; i < first + count; ++i) {
    char line[64];
    std::snprintf(line, sizeof line, "SUB subs.%03zu.%05zu %zu\r\n", connection_index, i, i + 1);
    text += line;
  }
  return text;
}

/// All connections subscribe at the same time, a slice each in turn; ends with the last PONG.
std::vector<sample> many_subscriptions(const server_process& server, const options& how) {
  const size_t connections = how.quick ? 10 : 100;
  const size_t each = how.quick ? 1000 : 10'000;
  const size_t slice = 500;
  std::vector<connection> links;
  std::vector<std::string> slices;
  for (size_t i = 0; i < connections; ++i) links.push_back(connection::client(server.port()));
  for (size_t first = 0; first < each; first += slice)
    for (size_t i = 0; i < connections; ++i) slices.push_back(subscriptions(i, first, slice));
  const growth grown(server);
  for (size_t i = 0; i < slices.size(); ++i) links[i % connections].send(slices[i]);
  for (auto& l : links) l.send("PING\r\n");
  for (auto& l : links) l.await_pong();
  return memory_and_rate(grown, static_cast<double>(connections * each));
}

}  // namespace

std::vector<bench_case> scale_cases() {
  return {{"idle-10k",
           "10,000 connections that do nothing",
           {{"idle-10k memory", "B/conn", {kind::ratio_at_most, 0.5}},
            {"idle-10k accepted", "conn/s", {kind::ratio_at_least, 1}}},
           idle_connections},
          {"subs-1m",
           "1,000,000 distinct subjects subscribed over 100 connections",
           {{"subs-1m memory", "B/sub", {kind::ratio_at_most, 0.5}},
            {"subs-1m rate", "SUB/s", {kind::ratio_at_least, 2}}},
           many_subscriptions}};
}

}  // namespace vagus::bench

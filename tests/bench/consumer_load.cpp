#include "consumer_load.hpp"

#include "consumer_client.hpp"
#include "jetstream.hpp"
#include "meter.hpp"
#include "parallel.hpp"
#include "publish_load.hpp"

#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <thread>

namespace vagus::bench {

namespace {

constexpr const char* stream = "BENCH";
constexpr const char* name = "reader";
constexpr const char* explicit_durable =
    R"("durable_name":"reader","deliver_policy":"all","ack_policy":"explicit")";
constexpr const char* silent_durable =
    R"("durable_name":"reader","deliver_policy":"all","ack_policy":"none")";

using clients = std::vector<std::unique_ptr<consumer_client>>;

clients make_clients(uint16_t port, unsigned count, size_t payload) {
  clients all;
  for (unsigned i = 0; i < count; ++i)
    all.push_back(std::make_unique<consumer_client>(port, i, stream, name, payload));
  return all;
}

/// For each client the work of fetching, until so many batches have been asked for by all.
std::vector<std::function<void()>> fetching(const clients& all, std::atomic<uint64_t>& batches,
                                            delivery_record& seen) {
  std::vector<std::function<void()>> work;
  for (auto& c : all)
    work.push_back([&client = *c, &batches, &seen] {
      for (;;) {
        uint64_t left = batches.load();
        while (left > 0 && !batches.compare_exchange_weak(left, left - 1)) {
        }
        if (left == 0) return;
        client.fetch(fetch_batch, [&](const delivery& d, const incoming&) { seen.take(d); });
      }
    });
  return work;
}

}  // namespace

sample repeat(const server_process& server, double seconds,
              const std::function<uint64_t(meter&)>& pass) {
  meter before(server, false);
  pass(before);
  meter metered(server, false);
  uint64_t count = 0;
  do count += pass(metered);
  while (metered.before(seconds));
  return metered.per(count);
}

void check_delivered(api_client& api, const std::string& of, const std::string& consumer,
                     uint64_t messages, bool acknowledged) {
  const consumer_state now = api.consumer(of, consumer);
  const auto wrong = [](const std::string& what, uint64_t have) {
    return failure("the consumer's " + what + " is " + std::to_string(have) + " in the end");
  };
  if (now.delivered != messages) throw wrong("number of deliveries", now.delivered);
  if (now.redelivered != 0) throw wrong("number of redeliveries", now.redelivered);
  if (now.pending != 0) throw wrong("number of pending messages", now.pending);
  if (now.ack_pending != 0) throw wrong("number of unacknowledged messages", now.ack_pending);
  if (acknowledged && now.ack_floor != now.delivered_up_to)
    throw wrong("acknowledgement floor", now.ack_floor);
}

sample measure_fetch(const server_process& server, double seconds, unsigned count,
                     uint64_t messages, size_t payload) {
  api_client api(server.port());
  return repeat(server, seconds, [&](meter& metered) {
    api.remove_consumer(stream, name);
    api.create_consumer(stream, name, explicit_durable);
    const clients all = make_clients(server.port(), count, payload);
    delivery_record seen(messages);
    std::atomic<uint64_t> batches = messages / fetch_batch;
    metered.start();
    in_parallel(fetching(all, batches, seen), [&] {
      for (auto& c : all) c->abort();
    });
    api.await_acknowledged(stream, name);
    metered.stop();
    check_delivered(api, stream, name, messages, true);
    return seen.count();
  });
}

sample measure_consume(const server_process& server, double seconds, uint64_t messages,
                       size_t payload) {
  api_client api(server.port());
  return repeat(server, seconds, [&](meter& metered) {
    api.remove_consumer(stream, name);
    api.create_consumer(stream, name, silent_durable);
    consumer_client client(server.port(), 0, stream, name, payload);
    delivery_record seen(messages);
    metered.start();
    client.consume(messages, [&](const delivery& d, const incoming&) { seen.take(d); });
    metered.stop();
    check_delivered(api, stream, name, messages);
    return seen.count();
  });
}

std::string ordered_config(const std::string& deliver_subject, const std::string& deliver_policy) {
  return "\"deliver_policy\":\"" + deliver_policy + "\",\"deliver_subject\":\"" + deliver_subject +
         "\",\"ack_policy\":\"none\",\"ack_wait\":79200000000000,\"max_deliver\":1,"
         "\"flow_control\":true,\"idle_heartbeat\":5000000000,\"num_replicas\":1,"
         "\"mem_storage\":true";
}

sample measure_ordered(const server_process& server, double seconds, uint64_t messages,
                       size_t payload) {
  api_client api(server.port());
  return repeat(server, seconds, [&](meter& metered) {
    consumer_client client(server.port(), 0, stream, name, payload, consumer_kind::push);
    delivery_record seen(messages);
    api.remove_consumer(stream, name);
    metered.start();
    api.create_consumer(stream, name, ordered_config(client.deliver_subject(), "all"));
    client.receive(messages, [&](const delivery& d, const incoming&) {
      if (d.stream_seq != d.consumer_seq) throw failure("messages are not in order");
      seen.take(d);
    });
    metered.stop();
    check_delivered(api, stream, name, messages);
    return seen.count();
  });
}

std::vector<sample> measure_filter(const server_process& server, const std::string& filter,
                                   uint64_t matching, uint64_t messages, size_t payload) {
  api_client api(server.port());
  consumer_client client(server.port(), 0, stream, name, payload);
  const std::string begin = filter.substr(0, filter.find('*'));
  delivery_record seen(messages);
  api.remove_consumer(stream, name);
  meter metered(server);
  const auto at = steady::now();
  api.create_consumer(stream, name, silent_durable, filter);
  const double creation = seconds_between(at, steady::now());
  client.consume(matching, [&](const delivery& d, const incoming& message) {
    if (!message.subject.starts_with(begin))
      throw failure(std::string(message.subject) + " does not match " + filter);
    seen.take(d);
  });
  const sample rate = metered.per(seen.count());
  check_delivered(api, stream, name, matching);
  return {rate, {creation}};
}

sample measure_work_queue(const server_process& server, uint64_t messages, size_t payload) {
  constexpr unsigned count = 4;
  api_client api(server.port());
  stream_setup queue;
  queue.retention = "workqueue";
  api.create(queue);
  api.create_consumer(stream, name, explicit_durable);
  const clients workers = make_clients(server.port(), count, payload);
  publication what;
  what.payload = payload;
  what.shared = true;
  std::vector<std::unique_ptr<stream_publisher>> publishers;
  for (unsigned i = 0; i < count; ++i)
    publishers.push_back(std::make_unique<stream_publisher>(server.port(), what, count + i));
  delivery_record seen(messages);
  std::atomic<uint64_t> batches = messages / fetch_batch;
  auto work = fetching(workers, batches, seen);
  for (auto& p : publishers)
    work.push_back([&publisher = *p, each = messages / count] {
      publisher.run([&] { return each - publisher.sent(); });
    });
  meter metered(server);
  in_parallel(work, [&] {
    for (auto& w : workers) w->abort();
    for (auto& p : publishers) p->abort();
  });
  api.await_acknowledged(stream, name);
  // What is acknowledged may be removed a little later.
  for (const auto begin = steady::now(); api.state(stream, "messages") != 0;) {
    if (seconds_between(begin, steady::now()) > 20) throw failure("the stream is not empty");
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  const sample result = metered.per(seen.count());
  check_delivered(api, stream, name, messages, true);
  if (api.state(stream, "last_seq") != messages)
    throw failure("the stream had other messages than were published");
  return result;
}

namespace {

/// Publishes messages that carry their number, and notes when each was written.
void publish_at_rate(connection& link, double per_second, size_t payload,
                     std::vector<std::atomic<int64_t>>& written) {
  const auto begin = steady::now();
  std::string text(payload, 'x');
  const std::string head = "PUB bench.data " + std::to_string(payload) + "\r\n";
  for (size_t i = 0; i < written.size(); ++i) {
    std::this_thread::sleep_until(begin + std::chrono::nanoseconds(static_cast<int64_t>(
                                              static_cast<double>(i) / per_second * 1e9)));
    write_token(text.data(), i);
    written[i] = steady::now().time_since_epoch().count();
    link.send(head + text + "\r\n");
  }
}

}  // namespace

std::vector<double> delivery_latencies(const server_process& server, double per_second,
                                       uint64_t messages, uint64_t ignored, size_t payload) {
  api_client api(server.port());
  api.create({});
  api.create_consumer(stream, name, silent_durable);
  consumer_client client(server.port(), 0, stream, name, payload);
  connection link = connection::client(server.port());
  std::vector<std::atomic<int64_t>> written(messages);
  std::vector<double> all;
  delivery_record seen(messages);
  const std::function<void()> reading = [&] {
    client.consume(messages, [&](const delivery& d, const incoming& message) {
      const auto now = steady::now();
      seen.take(d);
      const uint64_t number = read_token(message.payload.substr(0, token_size));
      if (number + 1 != d.stream_seq) throw failure("not the message that was published");
      if (number < ignored) return;
      const steady::time_point then{steady::duration{written[number].load()}};
      all.push_back(seconds_between(then, now));
    });
  };
  in_parallel({reading, [&] { publish_at_rate(link, per_second, payload, written); }}, [&] {
    client.abort();
    link.abort();
  });
  check_delivered(api, stream, name, messages);
  return all;
}

std::string durable_name(uint64_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "durable%05llu", static_cast<unsigned long long>(number));
  return name;
}

void create_durables(const server_process& server, uint64_t count) {
  constexpr uint64_t in_flight = 50;
  const std::string inbox = inbox_of(0);
  connection link = connection::client(server.port());
  message_reader reader(link);
  link.send("SUB " + inbox + "* 1\r\n");
  uint64_t sent = 0, done = 0;
  while (done < count) {
    std::string out;
    for (; sent < count && sent - done < in_flight; ++sent) {
      const std::string id = durable_name(sent);
      const std::string text =
          std::string(R"({"stream_name":"BENCH","config":{"durable_name":")") + id +
          R"(","name":")" + id +
          R"(","deliver_policy":"all","ack_policy":"explicit","replay_policy":"instant"},)" +
          R"("action":"create"})";
      out.append("PUB $JS.API.CONSUMER.CREATE.BENCH.").append(id).append(" ").append(inbox);
      out.append(id).append(" ").append(std::to_string(text.size())).append("\r\n");
      out.append(text).append("\r\n");
    }
    link.send(out);
    reader.fill();
    for (incoming message; reader.next(message); ++done)
      if (message.payload.find("\"config\":") == std::string_view::npos)
        throw failure("not created: " + std::string(message.payload));
  }
  const uint64_t have = api_client(server.port()).state(stream, "consumer_count");
  if (have != count) throw failure("the stream has " + std::to_string(have) + " consumers");
}

}  // namespace vagus::bench

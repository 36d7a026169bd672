#include "kv_load.hpp"

#include "consumer_client.hpp"
#include "consumer_load.hpp"
#include "jetstream.hpp"
#include "meter.hpp"
#include "one_in_flight.hpp"
#include "publish_load.hpp"

#include <cstdio>
#include <memory>
#include <random>

namespace vagus::bench {

namespace {

constexpr const char* stream = "KV_b";

std::string subject_of(uint64_t key) {
  char text[32];
  std::snprintf(text, sizeof text, "$KV.b.key%07u", static_cast<unsigned>(key));
  return text;
}

/// Has one request on its way, with one wildcard subscription and a new reply subject for each.
class kv_client {
public:
  kv_client(uint16_t port, unsigned index, uint64_t keys, size_t payload)
      : inbox_(inbox_of(index)),
        reply_(inbox_ + std::string(token_size, '0')),
        keys_(keys),
        payload_(payload),
        link_(connection::client(port)),
        reader_(link_),
        random_(index) {
    link_.send("SUB " + inbox_ + "* 1\r\n");
    link_.flush();
  }
  virtual ~kv_client() = default;

  void ask() {
    write_token(reply_.data() + inbox_.size(), ++token_);
    asked_ = subject_of(random_() % keys_);
    link_.send(request());
  }

  bool answered() {
    reader_.fill();
    incoming message;
    if (!reader_.next(message)) return false;
    if (message.subject != reply_ || !right(message))
      throw failure("not the answer for " + asked_ + ": " + std::string(message.headers) +
                    std::string(message.payload));
    ++done_;
    return true;
  }

  int fd() const { return link_.fd(); }

  /// Answers that it got.
  uint64_t done() const { return done_; }

protected:
  virtual std::string request() const = 0;
  virtual bool right(const incoming& answer) = 0;

  std::string inbox_, reply_, asked_;
  uint64_t keys_;
  size_t payload_;

private:
  connection link_;
  message_reader reader_;
  std::mt19937_64 random_;
  uint64_t token_ = 0, done_ = 0;
};

class putting_client : public kv_client {
public:
  using kv_client::kv_client;

protected:
  std::string request() const override {
    return "PUB " + asked_ + " " + reply_ + " " + std::to_string(payload_) + "\r\n" +
           std::string(payload_, 'x') + "\r\n";
  }

  bool right(const incoming& answer) override {
    uint64_t sequence = 0;
    if (!answer.payload.starts_with("{\"stream\":\"KV_b\"") ||
        !find_number(answer.payload, "seq", sequence) || sequence <= last_sequence_)
      return false;
    last_sequence_ = sequence;
    return true;
  }

private:
  uint64_t last_sequence_ = 0;
};

class getting_client : public kv_client {
public:
  using kv_client::kv_client;

protected:
  std::string request() const override {
    return "PUB $JS.API.DIRECT.GET.KV_b." + asked_ + " " + reply_ + " 0\r\n\r\n";
  }

  bool right(const incoming& answer) override {
    return answer.payload.size() == payload_ && answer.headers.starts_with("NATS/1.0\r\n") &&
           answer.headers.find("\r\nNats-Subject: " + asked_ + "\r\n") != std::string_view::npos;
  }
};

template <class Client>
std::vector<std::unique_ptr<Client>> make(const server_process& server, unsigned count,
                                          uint64_t keys, size_t payload) {
  std::vector<std::unique_ptr<Client>> all;
  for (unsigned i = 0; i < count; ++i)
    all.push_back(std::make_unique<Client>(server.port(), i, keys, payload));
  return all;
}

void check_bucket(api_client& api, uint64_t keys, uint64_t puts) {
  const uint64_t have = api.state(stream, "messages"), last = api.state(stream, "last_seq");
  if (have == keys && last == puts) return;
  throw failure("the bucket has " + std::to_string(have) + " keys after " + std::to_string(last) +
                " puts in place of " + std::to_string(keys) + " after " + std::to_string(puts));
}

}  // namespace

void fill_bucket(const server_process& server, uint64_t keys, uint64_t times, size_t payload) {
  api_client api(server.port());
  api.create_bucket("b");
  publication what;
  what.stream = stream;
  what.payload = payload;
  what.in_turn = true;
  what.subjects.clear();
  for (uint64_t key = 0; key < keys; ++key) what.subjects.push_back(subject_of(key));
  stream_publisher publisher(server.port(), what, 0);
  publisher.run([&] { return keys * times - publisher.sent(); });
  check_bucket(api, keys, keys * times);
}

sample measure_puts(const server_process& server, double seconds, unsigned clients, uint64_t keys,
                    size_t payload) {
  api_client api(server.port());
  const uint64_t before = api.state(stream, "last_seq");
  auto all = make<putting_client>(server, clients, keys, payload);
  const sample result = one_in_flight(server, seconds, all);
  uint64_t puts = 0;
  for (const auto& c : all) puts += c->done();
  check_bucket(api, keys, before + puts);
  return result;
}

sample measure_key_gets(const server_process& server, double seconds, unsigned clients,
                        uint64_t keys, size_t payload) {
  return one_in_flight(server, seconds, make<getting_client>(server, clients, keys, payload));
}

sample measure_watch(const server_process& server, double seconds, uint64_t keys, size_t payload) {
  api_client api(server.port());
  const uint64_t last = api.state(stream, "last_seq");
  return repeat(server, seconds, [&](meter& metered) {
    consumer_client client(server.port(), 0, stream, "watcher", payload, consumer_kind::push);
    delivery_record seen(last);
    metered.start();
    api.create_consumer(stream, "watcher",
                        ordered_config(client.deliver_subject(), "last_per_subject"), "$KV.b.>");
    client.receive(keys, [&](const delivery& d, const incoming&) { seen.take(d); });
    metered.stop();
    check_delivered(api, stream, "watcher", keys);
    api.remove_consumer(stream, "watcher");
    return seen.count();
  });
}

}  // namespace vagus::bench

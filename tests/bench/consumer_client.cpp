#include "consumer_client.hpp"

#include "jetstream.hpp"

namespace vagus::bench {

namespace {

constexpr uint64_t consume_batch = 500;
constexpr std::string_view stalled = "Nats-Consumer-Stalled: ";

/// The number at the front, which it removes together with the dot behind it.
uint64_t take_number(std::string_view& text) {
  uint64_t value = 0;
  size_t i = 0;
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i)
    value = value * 10 + static_cast<uint64_t>(text[i] - '0');
  if (i == 0 || (i < text.size() && text[i] != '.'))
    throw failure("not an acknowledgement's subject, before its end: " + std::string(text));
  text.remove_prefix(i < text.size() ? i + 1 : i);
  return value;
}

}  // namespace

delivery_record::delivery_record(uint64_t last)
    : last_(last), seen_(std::make_unique<std::atomic<bool>[]>(last + 1)) {}

void delivery_record::take(const delivery& d) {
  const auto wrong = [&](const char* how) {
    return failure("message " + std::to_string(d.stream_seq) + " was delivered " + how);
  };
  if (d.stream_seq == 0 || d.stream_seq > last_) throw wrong("but never stored");
  if (d.attempt != 1 || seen_[d.stream_seq].exchange(true, std::memory_order_relaxed))
    throw wrong("again");
  count_.fetch_add(1, std::memory_order_relaxed);
}

consumer_client::consumer_client(uint16_t port, unsigned index, const std::string& stream,
                                 const std::string& consumer, size_t payload, consumer_kind kind)
    : inbox_(inbox_of(index)),
      pull_subject_("$JS.API.CONSUMER.MSG.NEXT." + stream + "." + consumer),
      ack_prefix_("$JS.ACK." + stream + "." + consumer + "."),
      payload_(payload),
      link_(connection::client(port)),
      reader_(link_) {
  link_.send("SUB " + (kind == consumer_kind::push ? deliver_subject() : inbox_ + "*") + " 1\r\n");
  link_.flush();
}

/// The next message of the consumer among what has been received.
bool consumer_client::next(incoming& message, delivery& d) {
  while (reader_.next(message)) {
    if (!message.subject.starts_with(inbox_)) {
      d = read(message);
      return true;
    }
    take_status(message);
  }
  return false;
}

delivery consumer_client::read(const incoming& message) const {
  std::string_view rest = message.reply;
  if (!rest.starts_with(ack_prefix_) || message.payload.size() != payload_)
    throw failure("not of the consumer: " + std::string(message.subject) + ", " +
                  std::string(rest) + ", " + std::string(message.payload));
  rest.remove_prefix(ack_prefix_.size());
  delivery d;
  d.attempt = take_number(rest);
  d.stream_seq = take_number(rest);
  d.consumer_seq = take_number(rest);
  take_number(rest);  // when it was stored
  d.pending = take_number(rest);
  return d;
}

/// A heartbeat or a question of flow control, which may come inside of a heartbeat.
void consumer_client::take_status(const incoming& message) {
  if (!message.headers.starts_with("NATS/1.0 100 "))
    throw failure("the consumer says " + std::string(message.headers));
  std::string_view answer_to = message.reply;
  if (const size_t at = message.headers.find(stalled); at != std::string_view::npos) {
    answer_to = message.headers.substr(at + stalled.size());
    answer_to = answer_to.substr(0, answer_to.find('\r'));
  }
  if (!answer_to.empty()) link_.send("PUB " + std::string(answer_to) + " 0\r\n\r\n");
}

void consumer_client::ask(uint64_t batch, const std::string& reply, const char* more) {
  const std::string request =
      "{\"expires\":30000000000,\"batch\":" + std::to_string(batch) + more + "}";
  link_.send("PUB " + pull_subject_ + " " + reply + " " + std::to_string(request.size()) + "\r\n" +
             request + "\r\n");
}

void consumer_client::fetch(uint64_t batch, const handler& seen) {
  std::string reply = inbox_ + std::string(token_size, '0');
  write_token(reply.data() + inbox_.size(), ++token_);
  ask(batch, reply, "");
  std::string acknowledgements;
  incoming message;
  delivery d;
  for (uint64_t have = 0; have < batch;) {
    reader_.fill();
    acknowledgements.clear();
    for (; have < batch && next(message, d); ++have) {
      seen(d, message);
      acknowledgements.append("PUB ").append(message.reply).append(" 4\r\n+ACK\r\n");
    }
    link_.send(acknowledgements);
  }
}

void consumer_client::consume(uint64_t messages, const handler& seen) {
  constexpr const char* heartbeat = ",\"idle_heartbeat\":15000000000";
  const std::string reply = inbox_ + "consume";
  ask(consume_batch, reply, heartbeat);
  uint64_t asked = consume_batch;
  incoming message;
  delivery d;
  for (uint64_t have = 0; have < messages;) {
    reader_.fill();
    for (; have < messages && next(message, d); ++have) {
      seen(d, message);
      if (--asked > consume_batch / 2) continue;
      ask(consume_batch - asked, reply, heartbeat);
      asked = consume_batch;
    }
  }
}

void consumer_client::receive(uint64_t messages, const handler& seen) {
  incoming message;
  delivery d;
  for (uint64_t have = 0; have < messages;) {
    reader_.fill();
    for (; have < messages && next(message, d); ++have) {
      if (d.consumer_seq != have + 1)
        throw failure("delivery " + std::to_string(d.consumer_seq) + " in place of " +
                      std::to_string(have + 1));
      seen(d, message);
    }
  }
}

}  // namespace vagus::bench

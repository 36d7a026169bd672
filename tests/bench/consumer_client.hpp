#pragma once

#include "common.hpp"
#include "connection.hpp"
#include "message_reader.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace vagus::bench {

/// Which message a consumer delivered, from the reply subject that came with it.
struct delivery {
  uint64_t attempt = 0;  ///< 1 the first time
  uint64_t stream_seq = 0;
  uint64_t consumer_seq = 0;
  uint64_t pending = 0;  ///< messages that the consumer has yet to deliver
};

/// Remembers which messages of a stream arrived, whoever got them; for several threads.
class delivery_record {
public:
  /// Of the messages 1 to `last`.
  explicit delivery_record(uint64_t last);

  /// Fails on a second delivery and on other messages.
  void take(const delivery& d);

  uint64_t count() const { return count_.load(); }

private:
  uint64_t last_;
  std::unique_ptr<std::atomic<bool>[]> seen_;
  std::atomic<uint64_t> count_ = 0;
};

enum class consumer_kind { pull, push };

/// One client of a consumer, on a connection of its own, with one subscription: a wildcard for pull
/// requests, the deliver subject itself for push consumers, which not every server delivers to
/// where only a wildcard matches. Fails on
/// payloads of another size, on messages of others, on every status but those of an idle consumer
/// and of flow control, which it answers.
class consumer_client {
public:
  /// What is done with each message.
  using handler = std::function<void(const delivery&, const incoming&)>;

  consumer_client(uint16_t port, unsigned index, const std::string& stream,
                  const std::string& consumer, size_t payload,
                  consumer_kind kind = consumer_kind::pull);

  /// Where a push consumer delivers to for this client.
  std::string deliver_subject() const { return inbox_ + "deliver"; }

  /// One pull request for `batch` messages; waits for all and acknowledges each.
  void fetch(uint64_t batch, const handler& seen);

  /// Pull requests that overlap, as those of a client that consumes continuously: 500 messages
  /// are asked for, and when half of them are there, as many again as have arrived. Returns after
  /// `messages`; acknowledges none.
  void consume(uint64_t messages, const handler& seen);

  /// So many messages that are pushed, in the order of the consumer and without a gap.
  void receive(uint64_t messages, const handler& seen);

  /// Wakes it with an error. May be called from any thread.
  void abort() { link_.abort(); }

private:
  bool next(incoming& message, delivery& d);
  delivery read(const incoming& message) const;
  void take_status(const incoming& message);
  void ask(uint64_t batch, const std::string& reply, const char* more);

  std::string inbox_, pull_subject_, ack_prefix_;
  size_t payload_;
  connection link_;
  message_reader reader_;
  uint64_t token_ = 0;
};

}  // namespace vagus::bench

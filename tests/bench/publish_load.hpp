#pragma once

#include "cases.hpp"
#include "common.hpp"
#include "connection.hpp"
#include "message_reader.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vagus::bench {

/// What is published to a stream, and how many messages may be without their acknowledgement.
struct publication {
  std::string stream = "BENCH";
  std::vector<std::string> subjects = {"bench.data"};  ///< of equal length; chosen at random
  size_t payload = 128;
  size_t in_flight = 1000;
  bool ids = false;      ///< each message with a `Nats-Msg-Id` of its own
  bool in_turn = false;  ///< the subjects one after the other, not at random
  bool shared = false;   ///< others publish to the stream too: of sequences only the order is known
};

/// Publishes as the asynchronous publishers of clients do: one wildcard subscription on its inbox
/// and a new reply subject below it for each message. It checks every acknowledgement: the stream,
/// the sequence, once for each message; so it must be the stream's only publisher unless `shared`.
class stream_publisher {
public:
  stream_publisher(uint16_t port, publication what, unsigned index);

  /// Before each write `allowed` says how many more messages may be sent; after 0, which ends it,
  /// returns when all is acknowledged.
  /// With `latencies` and one in flight: the seconds from each write to its answer.
  void run(const std::function<uint64_t()>& allowed, std::vector<double>* latencies = nullptr);

  uint64_t sent() const { return sent_; }

  uint64_t acknowledged() const { return acknowledged_; }
  void abort() { link_.abort(); }

private:
  std::string frame() const;
  void write(size_t count);
  void fill_in(uint64_t number);
  size_t take_acknowledgements();
  void check(const incoming& message);

  publication what_;
  std::string inbox_;
  std::string ring_;  ///< frames of one length; message n is sent from place n % in_flight
  size_t length_ = 0, subject_at_ = 0, token_at_ = 0, id_at_ = 0;
  std::string acknowledgement_;    ///< what each begins with
  std::vector<bool> outstanding_;  ///< by place in the ring
  uint64_t sent_ = 0, acknowledged_ = 0, last_sequence_ = 0;
  uint64_t random_ = 88172645463325252;
  connection link_;
  message_reader reader_;
};

/// Publishers of streams of their own, a thread each; creates the streams.
class publish_load {
public:
  publish_load(const server_process& server, const std::vector<publication>& what, bool memory);

  /// Messages per second, acknowledged.
  sample run(double seconds);

  /// Exactly so many messages, by each.
  void store(uint64_t messages);

  /// The seconds that each of the messages of `seconds` took.
  std::vector<double> latencies(double seconds);

  /// Fails unless each stream has as many messages as were acknowledged.
  void check_stored() const;

private:
  uint64_t acknowledged() const;
  void run_all(const std::function<void(stream_publisher&)>& work);

  const server_process& server_;
  std::vector<std::string> streams_;
  std::vector<std::unique_ptr<stream_publisher>> publishers_;
};

}  // namespace vagus::bench

#pragma once

#include "cases.hpp"
#include "common.hpp"
#include "connection.hpp"
#include "message_reader.hpp"

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace vagus::bench {

/// Asks for the messages of one stream, numbered from 1 and with payloads of one size, with one
/// wildcard subscription for the answers and a new reply subject for each request.
class stream_reader {
public:
  stream_reader(uint16_t port, unsigned index, uint64_t messages, size_t payload);

  /// Sends a direct get of a random sequence.
  void ask();

  /// Reads once; true when the message is there. Fails when it is another one.
  bool answered();

  /// A batched direct get of `count` messages from a random place on; waits for the last.
  void get_batch(uint64_t count);

  /// Deletes the messages, in this order, with so many requests in flight.
  void remove(const std::vector<uint64_t>& sequences, size_t in_flight);

  int fd() const { return link_.fd(); }

private:
  std::string request(const std::string& subject, const std::string& payload);
  void check(const incoming& message, uint64_t sequence) const;

  std::string inbox_, reply_;
  connection link_;
  message_reader reader_;
  uint64_t messages_;
  size_t payload_;
  uint64_t token_ = 0, asked_ = 0;
  std::mt19937_64 random_;
};

/// Direct gets by `clients`, one in flight each, on the calling thread.
sample measure_gets(const server_process& server, double seconds, unsigned clients,
                    uint64_t messages, size_t payload);

/// Batched direct gets by one client; counts messages.
sample measure_batches(const server_process& server, double seconds, uint64_t batch,
                       uint64_t messages, size_t payload);

/// Deletes `count` random interior messages of a stream that has twice as many, 1000 in flight.
sample measure_deletes(const server_process& server, uint64_t count, size_t payload);

}  // namespace vagus::bench

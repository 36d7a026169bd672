#pragma once

#include "connection.hpp"
#include "message_reader.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace vagus::bench {

/// What a measurement needs of a stream's configuration.
struct stream_setup {
  std::string name = "BENCH";
  std::string subjects = "bench.>";
  bool memory = false;
  std::string retention = "limits";
};

/// What a consumer has done, from its info.
struct consumer_state {
  uint64_t delivered = 0;        ///< to its clients, repetitions included
  uint64_t delivered_up_to = 0;  ///< a sequence of the stream, as the next
  uint64_t ack_floor = 0;
  uint64_t ack_pending = 0, redelivered = 0, pending = 0;
};

/// One client that asks the JetStream API, one request at a time. A refusal is a `failure`.
class api_client {
public:
  explicit api_client(uint16_t port);

  /// The answer's payload, whatever it says; empty when nobody listens to `subject`.
  std::string request(const std::string& subject, std::string_view payload = {});

  /// Direct gets are allowed on it.
  void create(const stream_setup& what);

  /// The stream of a key-value bucket, configured as clients do, with one revision for each key.
  void create_bucket(const std::string& bucket);

  /// A consumer of `stream`; `config` is what its configuration has besides the name, as JSON
  /// members. `filter` ends the subject of the request, as clients have it for a single filter.
  void create_consumer(const std::string& stream, const std::string& name,
                       const std::string& config, const std::string& filter = {});

  consumer_state consumer(const std::string& stream, const std::string& name);

  /// Asks for the consumer's state until nothing waits for an acknowledgement.
  consumer_state await_acknowledged(const std::string& stream, const std::string& name);

  void remove_consumer(const std::string& stream, const std::string& name);

  /// The number called `field` in the state of a stream.
  uint64_t state(const std::string& stream, const std::string& field);

  /// Asks for the stream's state until it has `messages`: the server may still be opening it.
  void await_messages(const std::string& stream, uint64_t messages, std::chrono::seconds limit);

private:
  connection link_;
  message_reader reader_;
  std::string inbox_;
  uint64_t token_ = 0;
};

/// An inbox as clients make them, with its dot, below which every reply has a subject of its own.
std::string inbox_of(unsigned index);

/// Overwrites the eight characters at `to` with a number in 62 digits.
inline constexpr size_t token_size = 8;
void write_token(char* to, uint64_t token);
uint64_t read_token(std::string_view text);

/// The number behind `"name":` in a JSON text; false when there is none.
bool find_number(std::string_view json, std::string_view name, uint64_t& value);

}  // namespace vagus::bench

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
};

/// One client that asks the JetStream API, one request at a time. A refusal is a `failure`.
class api_client {
public:
  explicit api_client(uint16_t port);

  /// The answer's payload, whatever it says; empty when nobody listens to `subject`.
  std::string request(const std::string& subject, std::string_view payload = {});

  /// Direct gets are allowed on it.
  void create(const stream_setup& what);

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

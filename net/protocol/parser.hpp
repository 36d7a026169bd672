#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vagus {

/// What one call of parse_operation found.
enum class op : uint8_t {
  incomplete,  ///< more bytes are needed; `needed` says how many at least
  pub,         ///< PUB and HPUB: subject, reply, header_size (-1 for PUB), size, payload
  sub,         ///< subject, queue (may be empty), sid
  unsub,       ///< sid, max (0: at once)
  ping,
  pong,
  connect,                ///< args: the JSON text
  ignored,                ///< +OK from a client
  info,                   ///< INFO from a client; args: the JSON text, which must be an object
  client_error,           ///< -ERR from a client: close without an answer
  unknown,                ///< not NATS: `-ERR 'Unknown Protocol Operation'`, then close
  bad_arguments,          ///< close without -ERR, as nats-server does
  control_line_exceeded,  ///< `-ERR 'maximum control line exceeded'`, then close
  payload_exceeded,       ///< `-ERR 'Maximum Payload Violation'`, then close
};

/// One operation. The views point into the parsed bytes.
struct operation {
  op kind = op::incomplete;
  const char* next = nullptr;  ///< first byte behind this operation
  std::string_view subject;
  std::string_view reply;
  std::string_view queue;
  std::string_view sid;
  std::string_view args;  ///< what follows the name on the control line, without blanks around it
  const char* payload = nullptr;
  int64_t header_size = -1;  ///< bytes of the header block at the start of payload; -1 for PUB
  int64_t size = 0;          ///< bytes of headers and payload together
  int64_t max = 0;
  size_t needed = 0;  ///< op::incomplete: bytes from the start of the operation, at least
};

struct parse_limits {
  int64_t max_control_line = 4096;
  int64_t max_payload = 1024 * 1024;
  bool headers = true;  ///< false: HPUB is refused as bad_arguments
};

/// Parses the operation that starts at `at`. Operations that arrive in pieces are parsed again from
/// their start when more bytes are there; `operation::needed` keeps that from being done in vain.
/// @pre `*end` may be read and is '\n' (a sentinel that the caller puts behind the bytes).
/// Never allocates, never reads beyond `end`.
/// @param into only the members that its kind speaks of are set
void parse_operation(const char* at, const char* end, const parse_limits& limits, operation& into);

inline operation parse_operation(const char* at, const char* end, const parse_limits& limits) {
  operation result;
  parse_operation(at, end, limits, result);
  return result;
}

/// Reads a number of 1 to 9 digits, as sizes on the wire are written; -1 if it is anything else.
int64_t parse_decimal(std::string_view digits);

}  // namespace vagus

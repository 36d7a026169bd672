#include "actors/messages.hpp"

namespace vagus {

std::string_view to_text(closed_reason reason) {
  switch (reason) {
    case closed_reason::client_closed:
      return "Client Closed";
    case closed_reason::authentication_timeout:
      return "Authentication Timeout";
    case closed_reason::authentication_violation:
      return "Authentication Failure";
    case closed_reason::slow_consumer_pending:
      return "Slow Consumer (Pending Bytes)";
    case closed_reason::slow_consumer_deadline:
      return "Slow Consumer (Write Deadline)";
    case closed_reason::write_error:
      return "Write Error";
    case closed_reason::read_error:
      return "Read Error";
    case closed_reason::parse_error:
      return "Parse Error";
    case closed_reason::stale_connection:
      return "Stale Connection";
    case closed_reason::protocol_violation:
      return "Protocol Violation";
    case closed_reason::bad_client_protocol:
      return "Bad Client Protocol Version";
    case closed_reason::max_connections:
      return "Maximum Connections Exceeded";
    case closed_reason::max_payload:
      return "Maximum Message Payload Exceeded";
    case closed_reason::max_control_line:
      return "Maximum Control Line Exceeded";
    case closed_reason::max_subscriptions:
      return "Maximum Subscriptions Exceeded";
    case closed_reason::server_shutdown:
      return "Server Shutdown";
    case closed_reason::no_responders_requires_headers:
      return "No Responders Requires Headers";
    case closed_reason::kicked:
      return "Kicked";
  }
  return "Client Closed";
}

}  // namespace vagus

#include "actors/messages.hpp"

#include "actors/authenticator.hpp"
#include "actors/jetstream/metadata.hpp"
#include "net/options/version.hpp"

#include <cstdlib>

namespace vagus {

namespace {

/// Where clients are told to connect: what is advertised ("host" or "host:port"), else the
/// listener.
void advertise(const options& opts, int port, server_info& info) {
  info.host = opts.host;
  info.port = port;
  if (opts.client_advertise.empty()) return;
  auto colon = opts.client_advertise.rfind(':');
  bool has_port = colon != std::string::npos && opts.client_advertise.back() != ']';
  info.host = opts.client_advertise.substr(0, has_port ? colon : std::string::npos);
  if (has_port) info.port = std::atoi(opts.client_advertise.c_str() + colon + 1);
}

}  // namespace

void settings::put(const options& next) {
  opts = next;
  loaded = std::chrono::system_clock::now();
  info.server_name = next.server_name.empty() ? info.server_id : next.server_name;
  info.version = nats_version;
  info.headers = !next.no_header_support;
  info.auth_required = needs_credentials(next);
  info.max_payload = next.max_payload;
  info.jetstream = next.jetstream;
  info.api_level = next.jetstream ? js_api_level : 0;
  info.domain = next.jetstream ? next.js_domain : std::string{};
  advertise(next, client_port, info);
}

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

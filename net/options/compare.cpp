#include "net/options/compare.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vagus {

namespace {

std::string text_of(const std::string& s) {
  return s;
}
std::string text_of(bool b) {
  return b ? "true" : "false";
}
std::string text_of(std::chrono::nanoseconds d) {
  return fmt::format("{}s", std::chrono::duration<double>{d}.count());
}
template <class T>
std::string text_of(const T& value) {
  return fmt::format("{}", value);
}

struct comparison {
  const options& before;
  const options& after;
  std::vector<option_change> found;

  template <class T>
  void check(const char* name, T options::*member, bool reloadable = true) {
    if (before.*member != after.*member)
      found.push_back({name, text_of(before.*member), text_of(after.*member), reloadable});
  }

  void secret(const char* name, std::string options::*member) {
    if (before.*member != after.*member) found.push_back({name, "[REDACTED]", "[REDACTED]", true});
  }

  /// What a listener or an identity is built from: named as nats-server names it in its refusal.
  template <class T>
  void fixed(const char* name, T options::*member) {
    check(name, member, false);
  }
};

void compare_fixed(comparison& c) {
  c.fixed("Host", &options::host);
  c.fixed("Port", &options::port);
  c.fixed("ServerName", &options::server_name);
  c.fixed("HTTPHost", &options::http_host);
  c.fixed("HTTPPort", &options::http_port);
  c.fixed("HTTPBasePath", &options::http_base_path);
  c.fixed("NoHeaderSupport", &options::no_header_support);
  c.fixed("EventLoops", &options::event_loops);
  c.fixed("IdlePoll", &options::idle_poll);
}

void compare_limits(comparison& c) {
  c.check("max_connections", &options::max_connections);
  c.check("max_subscriptions", &options::max_subscriptions);
  c.check("max_sub_tokens", &options::max_sub_tokens);
  c.check("max_control_line", &options::max_control_line);
  c.check("max_payload", &options::max_payload);
  c.check("max_pending", &options::max_pending);
  c.check("max_closed_clients", &options::max_closed_clients);
  c.check("write_deadline", &options::write_deadline);
  c.check("ping_interval", &options::ping_interval);
  c.check("ping_max", &options::ping_max);
  c.check("no_fast_producer_stall", &options::no_fast_producer_stall);
  c.check("lame_duck_duration", &options::lame_duck_duration);
  c.check("lame_duck_grace_period", &options::lame_duck_grace_period);
}

void compare_jetstream(comparison& c) {
  c.fixed("JetStream", &options::jetstream);
  c.fixed("StoreDir", &options::store_dir);
  c.fixed("JetStreamDomain", &options::js_domain);
  c.fixed("SyncInterval", &options::sync_interval);
  c.check("max_memory_store", &options::max_memory_store);
  c.check("max_file_store", &options::max_file_store);
  c.check("strict", &options::js_strict);
  c.check("max_ack_pending", &options::js_max_ack_pending);
  c.check("max_request_batch", &options::js_max_request_batch);
  c.check("duplicate_window", &options::js_duplicate_window);
  c.check("default_max_consumers", &options::js_default_max_consumers);
  c.check("request_queue_limit", &options::js_request_queue_limit);
  c.check("info_queue_limit", &options::js_info_queue_limit);
  c.check("max_buffered_size", &options::max_buffered_size);
  c.check("max_buffered_msgs", &options::max_buffered_msgs);
}

void compare_logging(comparison& c) {
  c.check("debug", &options::debug);
  c.check("trace", &options::trace);
  c.check("trace_verbose", &options::trace_verbose);
  c.check("logtime", &options::logtime);
  c.check("logtime_utc", &options::logtime_utc);
  c.check("log_file", &options::log_file);
  c.check("log_size_limit", &options::log_size_limit);
  c.check("log_max_num", &options::log_max_num);
  c.check("max_traced_msg_len", &options::max_traced_msg_len);
  c.check("syslog", &options::syslog);
  c.check("remote_syslog", &options::remote_syslog);
}

}  // namespace

std::vector<option_change> compare_options(const options& before, const options& after) {
  comparison c{before, after, {}};
  compare_fixed(c);
  c.check("client_advertise", &options::client_advertise);
  c.check("server_tags", &options::server_tags);
  c.check("server_metadata", &options::server_metadata);
  c.check("authorization username", &options::username);
  c.secret("authorization password", &options::password);
  c.secret("authorization token", &options::token);
  c.check("authorization timeout", &options::auth_timeout);
  compare_limits(c);
  compare_jetstream(c);
  compare_logging(c);
  c.check("pid_file", &options::pid_file);
  c.check("ports_file_dir", &options::ports_file_dir);
  return c.found;
}

}  // namespace vagus

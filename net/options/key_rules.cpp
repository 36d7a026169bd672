#include "net/options/rule_functions.hpp"

#include <algorithm>

// The translation table. A key is accepted where vagus does what it asks for, or where there is
// nothing to do; everything else that nats-server knows is refused by name, so that no setting is
// ever silently without effect.

namespace vagus {

namespace {

template <auto Host, auto Port>
void listen(translation& work, const conf_value& value) {
  auto address = read_listen(work, value);
  if (!address) return;
  work.out.*Host = std::move(address->host);
  work.out.*Port = address->port;
}

void server_name(translation& work, const conf_value& value) {
  auto name = read_string(work, value);
  if (!name) return;
  if (name->find(' ') != name->npos)
    return work.error(value, "\"server_name\" cannot contain spaces");
  work.out.server_name = std::move(*name);
}

void trace_verbose(translation& work, const conf_value& value) {
  auto x = read_bool(work, value);
  if (x) work.out.trace = work.out.trace_verbose = *x;
}

void max_connections(translation& work, const conf_value& value) {
  auto x = read_integer(work, value, -1, int64_max);
  if (x) work.out.max_connections = *x == 0 ? -1 : *x;
}

void lame_duck_duration(translation& work, const conf_value& value) {
  auto x = read_duration(work, value);
  if (!x) return;
  if (*x < std::chrono::seconds{30})
    return work.error(value, fmt::format("\"{}\" cannot be less than 30 seconds", work.key));
  work.out.lame_duck_duration = *x;
}

void lame_duck_grace_period(translation& work, const conf_value& value) {
  if (auto x = read_duration(work, value)) work.out.lame_duck_grace_period = *x;
}

/// What nats-server does with a client by default is to close it, as vagus does.
void write_timeout(translation& work, const conf_value& value) {
  auto policy = read_string(work, value);
  if (!policy || *policy == "default" || *policy == "close") return;
  if (*policy == "retry")
    return work.error(value, "\"write_timeout: retry\": vagus does not support this yet");
  work.error(value, "\"write_timeout\" must be \"default\", \"close\" or \"retry\"");
}

/// As nats-server keeps them: lower case, no blanks around them, none twice, none empty.
void server_tags(translation& work, const conf_value& value) {
  auto tags = read_strings(work, value);
  if (!tags) return;
  auto& out = work.out.server_tags;
  out.clear();
  for (auto& tag : *tags) {
    tag = lower_case(std::move(tag));
    tag.erase(0, std::min(tag.find_first_not_of(" \t\r\n"), tag.size()));
    tag.erase(tag.find_last_not_of(" \t\r\n") + 1);
    if (!tag.empty() && std::find(out.begin(), out.end(), tag) == out.end())
      out.push_back(std::move(tag));
  }
}

void server_metadata(translation& work, const conf_value& value) {
  auto* map = std::get_if<conf_map>(&value.data);
  if (!map) return work.error(value, "\"server_metadata\" must be a map of strings");
  for (auto& [key, entry] : *map)
    if (auto x = read_string(work, entry)) work.out.server_metadata[key] = std::move(*x);
}

void authorization(translation& work, const conf_value& value) {
  auto* map = std::get_if<conf_map>(&value.data);
  if (!map) return work.error(value, "\"authorization\" must be a map");
  auto& out = work.out;
  out.username = out.password = out.token = {};
  translate(*map, authorization_rules(), work);
  if (!(out.username + out.password).empty() && !out.token.empty())
    work.error(value, "\"authorization\" cannot have both a user and a token");
}

/// Seconds, as an integer or a float, or a duration.
void auth_timeout(translation& work, const conf_value& value) {
  using std::chrono::nanoseconds;
  std::optional<nanoseconds> timeout;
  if (auto* x = std::get_if<double>(&value.data); x && *x >= 0 && *x < 1e9)
    timeout = nanoseconds{static_cast<int64_t>(*x * 1e9)};
  else if (std::holds_alternative<int64_t>(value.data)) {
    if (auto seconds = read_integer(work, value, 0, 1'000'000'000))
      timeout = std::chrono::seconds{*seconds};
  } else {
    timeout = read_duration(work, value);
  }
  if (!timeout) return;
  if (*timeout > std::chrono::seconds{60})
    work.warn(value,
              "\"timeout\" is more than 60 seconds; a minute is written \"1m\", with quotes");
  work.out.auth_timeout = *timeout;
}

using o = options;

constexpr key_rule top_level[] = {
    {{"listen"}, listen<&o::host, &o::port>},
    {{"host", "net"}, text<&o::host>},
    {{"port"}, integer<&o::port, -1, 65535>},
    {{"client_advertise"}, text<&o::client_advertise>},
    {{"server_name"}, server_name},
    {{"server_tags"}, server_tags},
    {{"server_metadata"}, server_metadata},
    {{"http"}, listen<&o::http_host, &o::http_port>},
    {{"http_port", "monitor_port"}, integer<&o::http_port, -1, 65535>},
    {{"http_base_path"}, text<&o::http_base_path>},
    {{"authorization"}, authorization},
    {{"max_connections", "max_conn"}, max_connections},
    {{"max_subscriptions", "max_subs"}, integer<&o::max_subscriptions, 0, int64_max>},
    {{"max_sub_tokens", "max_subscription_tokens"}, integer<&o::max_sub_tokens, 1, 255>},
    {{"max_control_line"}, integer<&o::max_control_line, 0, int32_max>},
    {{"max_payload"}, integer<&o::max_payload, 0, int32_max>},
    {{"max_pending"}, integer<&o::max_pending, 0, int64_max>},
    {{"max_closed_clients"}, integer<&o::max_closed_clients, 0, int32_max>},
    {{"write_deadline"}, duration<&o::write_deadline>},
    {{"write_timeout"}, write_timeout},
    {{"ping_interval"}, duration<&o::ping_interval>},
    {{"ping_max"}, integer<&o::ping_max, 0, int32_max>},
    {{"no_fast_producer_stall"}, boolean<&o::no_fast_producer_stall>},
    {{"no_header_support"}, boolean<&o::no_header_support>},
    {{"lame_duck_duration"}, lame_duck_duration},
    {{"lame_duck_grace_period"}, lame_duck_grace_period},
    {{"jetstream"}, jetstream},
    {{"store_dir", "storedir"}, store_dir},
    {{"debug"}, boolean<&o::debug>},
    {{"trace"}, boolean<&o::trace>},
    {{"trace_verbose"}, trace_verbose},
    {{"logtime"}, boolean<&o::logtime>},
    {{"logtime_utc"}, boolean<&o::logtime_utc>},
    {{"log_file", "logfile"}, text<&o::log_file>},
    {{"log_size_limit", "logfile_size_limit"}, integer<&o::log_size_limit, 0, int64_max>},
    {{"log_max_num", "logfile_max_num"}, integer<&o::log_max_num, 0, int64_max>},
    {{"max_traced_msg_len"}, integer<&o::max_traced_msg_len, 0, int64_max>},
    {{"syslog"}, boolean<&o::syslog>},
    {{"remote_syslog"}, text<&o::remote_syslog>},
    {{"pid_file", "pidfile"}, text<&o::pid_file>},
    {{"ports_file_dir"}, text<&o::ports_file_dir>},
    {{"event_loops"}, integer<&o::event_loops, 0, 1024>},
    {{"idle_poll"}, duration<&o::idle_poll>},
    // Nothing to do: a cache that vagus does not need, reports about links that it does not have.
    {{"disable_sublist_cache", "no_sublist_cache"}, any_boolean},
    {{"connect_error_reports"}, any_integer},
    {{"reconnect_error_reports"}, any_integer},
    {{"prof_block_rate"}, any_integer},
    {{"allow_non_tls"}, any_boolean},
    // Only the default, which is off.
    {{"trace_headers"}, only_false, false},
    {{"proxy_protocol"}, only_false, false},
    {{"https_port"}, only_zero, false},
    {{"prof_port"}, only_zero, false},
    {{"no_system_account", "no_system", "no_sys_acc"}, only_false, false},
    {{"ocsp"}, only_false, false},
    {{"ocsp_cache"}, only_false, false},
    // Not at all.
    {{"accounts"}, refuse, false},
    {{"cluster"}, refuse, false},
    {{"default_js_domain"}, refuse, false},
    {{"default_sentinel"}, refuse, false},
    {{"feature_flags"}, refuse, false},
    {{"gateway"}, refuse, false},
    {{"https"}, refuse, false},
    {{"leafnodes", "leaf"}, refuse, false},
    {{"mappings", "maps"}, refuse, false},
    {{"mqtt"}, refuse, false},
    {{"no_auth_user"}, refuse, false},
    {{"operator", "operators", "roots", "root", "root_operators", "root_operator"}, refuse, false},
    {{"proxies"}, refuse, false},
    {{"resolver", "account_resolver", "accounts_resolver"}, refuse, false},
    {{"resolver_pinned_accounts"}, refuse, false},
    {{"resolver_preload"}, refuse, false},
    {{"resolver_tls"}, refuse, false},
    {{"system_account", "system"}, refuse, false},
    {{"tls"}, refuse, false},
    {{"trusted_keys", "trusted"}, refuse, false},
    {{"websocket", "ws"}, refuse, false},
};

constexpr key_rule in_authorization[] = {
    {{"user", "username"}, text<&o::username>},
    {{"password", "pass"}, text<&o::password>},
    {{"token"}, text<&o::token>},
    {{"timeout"}, auth_timeout},
    {{"proxy_required"}, only_false, false},
    {{"users"}, refuse, false},
    {{"default_permissions", "default_permission", "permissions"}, refuse, false},
    {{"auth_callout", "auth_hook"}, refuse, false},
};

}  // namespace

std::span<const key_rule> top_level_rules() {
  return top_level;
}

std::span<const key_rule> authorization_rules() {
  return in_authorization;
}

}  // namespace vagus

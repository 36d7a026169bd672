#include "net/options/flags.hpp"

// Every flag of nats-server, and vagus' own.

namespace vagus {

namespace {

using o = options;
using c = command_line;

template <auto Member>
void set(command_line& command, options& opts, const flag_value& value) {
  auto& target = [&]() -> auto& {
    if constexpr (requires { opts.*Member; })
      return opts.*Member;
    else
      return command.*Member;
  }
  ();
  using type = std::decay_t<decltype(target)>;
  if constexpr (std::is_same_v<type, bool>)
    target = value.yes;
  else if constexpr (std::is_same_v<type, std::string>)
    target = value.text;
  else if constexpr (std::is_same_v<type, int>)  // out of range stays out of range
    target = value.number < INT32_MIN || value.number > INT32_MAX ? INT32_MAX
                                                                  : static_cast<int>(value.number);
  else
    target = value.number;
}

template <auto... Members>
void set_all(command_line&, options& opts, const flag_value& value) {
  ((opts.*Members = value.yes), ...);
}

using enum flag_kind;

constexpr flag_rule server[] = {
    {{"a", "addr", "net"}, text, "host", "address to listen on (default 0.0.0.0)", set<&o::host>},
    {{"p", "port"},
     integer,
     "port",
     "port for clients; -1: any free one (default 4222)",
     set<&o::port>},
    {{"n", "name", "server_name"},
     text,
     "name",
     "name of this server (default: its id)",
     set<&o::server_name>},
    {{"P", "pid"}, text, "file", "write the process id to this file", set<&o::pid_file>},
    {{"m", "http_port"},
     integer,
     "port",
     "port for monitoring over HTTP (default: off)",
     set<&o::http_port>},
    {{"c", "config"},
     text,
     "file",
     "configuration, in nats-server's language or in CAF's",
     set<&c::config_file>},
    {{"config-file"}, text, "file", "configuration in CAF's language", set<&c::caf_config_file>},
    {{"t"}, boolean, "", "check the configuration and exit", set<&c::check>},
    {{"sl", "signal"},
     text,
     "signal[=pid]",
     "send ldm, stop, quit, term, reopen or reload to a running server; pid: a number, or a file "
     "with one",
     set<&c::signal>},
    {{"client_advertise"},
     text,
     "host[:port]",
     "address that clients are told to use",
     set<&o::client_advertise>},
    {{"ports_file_dir"},
     text,
     "dir",
     "write the ports in use to <program>_<pid>.ports in this directory",
     set<&o::ports_file_dir>},
    {{"event_loops"},
     integer,
     "n",
     "threads that serve connections (default: one per core)",
     set<&o::event_loops>},
};

constexpr flag_rule streams[] = {
    {{"js", "jetstream"},
     boolean,
     "",
     "JetStream (default: on; with a configuration in nats-server's language as that says)",
     set<&o::jetstream>},
    {{"sd", "store_dir"},
     text,
     "dir",
     "directory for JetStream's files (default vagus-data)",
     set<&o::store_dir>},
};

constexpr flag_rule logging[] = {
    {{"l", "log"}, text, "file", "write the log to this file", set<&o::log_file>},
    {{"T", "logtime"},
     boolean,
     "",
     "write the time with each log entry (default true)",
     set<&o::logtime>},
    {{"logtime_utc"},
     boolean,
     "",
     "write times in UTC (default: local time)",
     set<&o::logtime_utc>},
    {{"s", "syslog"}, boolean, "", "write the log to syslog", set<&o::syslog>},
    {{"r", "remote_syslog"},
     text,
     "url",
     "write the log to this syslog (udp://localhost:514)",
     set<&o::remote_syslog>},
    {{"D", "debug"}, boolean, "", "log debugging output", set<&o::debug>},
    {{"V", "trace"}, boolean, "", "log the protocol", set<&o::trace>},
    {{"VV"},
     boolean,
     "",
     "log the protocol, the system account's too",
     set_all<&o::trace, &o::trace_verbose>},
    {{"DV"}, boolean, "", "-D and -V", set_all<&o::debug, &o::trace>},
    {{"DVV"}, boolean, "", "-D and -VV", set_all<&o::debug, &o::trace, &o::trace_verbose>},
    {{"log_size_limit"},
     integer,
     "bytes",
     "start a new log file at this size (default: never)",
     set<&o::log_size_limit>},
    {{"max_traced_msg_len"},
     integer,
     "bytes",
     "log no more of a message (default: all of it)",
     set<&o::max_traced_msg_len>},
};

constexpr flag_rule authorization[] = {
    {{"user"}, text, "user", "user that clients must name", set<&o::username>},
    {{"pass"}, text, "password", "password that clients must give", set<&o::password>},
    {{"auth"}, text, "token", "token that clients must give", set<&o::token>},
};

constexpr flag_rule common[] = {
    {{"h", "help"}, boolean, "", "print this and exit", set<&c::help>},
    {{"v", "version"}, boolean, "", "print the version and exit", set<&c::version>},
    {{"help_tls"}, boolean, "", "print what is known about TLS and exit", set<&c::help_tls>},
};

constexpr flag_rule refused[] = {
    {{"ms", "https_port"}, integer, "port", "HTTPS"},
    {{"tls"}, boolean, "", "TLS"},
    {{"tlscert"}, text, "file", "TLS"},
    {{"tlskey"}, text, "file", "TLS"},
    {{"tlsverify"}, boolean, "", "TLS"},
    {{"tlscacert"}, text, "file", "TLS"},
    {{"routes"}, text, "urls", "clustering"},
    {{"cluster", "cluster_listen"}, text, "url", "clustering"},
    {{"cluster_name"}, text, "name", "clustering"},
    {{"cluster_advertise"}, text, "url", "clustering"},
    {{"no_advertise"}, boolean, "", "clustering"},
    {{"connect_retries"}, integer, "n", "clustering"},
    {{"profile"}, integer, "port", "profiling"},
};

constexpr flag_group groups[] = {
    {"Server", server},
    {"JetStream", streams},
    {"Logging", logging},
    {"Authorization", authorization},
    {"Common", common},
    {"Known from nats-server, refused because vagus does not have the feature yet", refused},
};

}  // namespace

std::span<const flag_group> flag_groups() {
  return groups;
}

}  // namespace vagus

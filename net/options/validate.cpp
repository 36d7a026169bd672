#include "net/options/validate.hpp"

#include "net/options/translate_values.hpp"
#include "net/options/units.hpp"

#include <fmt/format.h>

namespace vagus {

namespace {

void check_port(std::vector<std::string>& problems, std::string_view name, int port) {
  if (port < -1 || port > 65535)
    problems.push_back(
        fmt::format("{} {} is not in the range from -1 (any free port) to 65535", name, port));
}

void check_not_negative(std::vector<std::string>& problems, std::string_view name, int64_t value) {
  if (value < 0) problems.push_back(fmt::format("{} cannot be negative", name));
}

/// "host" or "host:port", the port optional.
bool is_advertisable(const std::string& text) {
  bool bare = text.find(':') == text.npos || text.back() == ']';
  auto parts = split_host_port(bare ? text + ":0" : text);
  return parts && !parts->first.empty() && !parts->second.empty() &&
         parts->second.find_first_not_of("0123456789") == parts->second.npos &&
         parts->second.size() <= 5 && std::stoi(parts->second) <= 65535;
}

/// It stands in "$JS.<domain>.API.>".
bool is_domain(const std::string& text) {
  return text.find_first_of(".*> \t\r\n\f") == text.npos && text.find('\0') == text.npos;
}

}  // namespace

void forget_followers(options& out) {
  out.http_host.clear();
  out.js_info_queue_limit = 0;
}

void fill_defaults(options& out) {
  const options defaults;
  auto fill = [&](auto... members) {
    auto one = [&](auto member) {
      using type = std::decay_t<decltype(out.*member)>;
      if (out.*member == type{}) out.*member = defaults.*member;
    };
    (one(members), ...);
  };
  fill(&options::host, &options::port, &options::auth_timeout, &options::max_connections,
       &options::max_control_line, &options::max_payload, &options::max_pending,
       &options::max_closed_clients, &options::write_deadline, &options::ping_interval,
       &options::ping_max, &options::lame_duck_duration, &options::lame_duck_grace_period,
       &options::store_dir, &options::js_default_max_consumers, &options::js_request_queue_limit,
       &options::max_buffered_size, &options::max_buffered_msgs);
  if (out.js_info_queue_limit == 0) out.js_info_queue_limit = out.js_request_queue_limit;
  if (out.http_host.empty()) out.http_host = out.host;
}

std::vector<std::string> validate(const options& opts) {
  std::vector<std::string> problems;
  check_port(problems, "port", opts.port);
  check_port(problems, "http_port", opts.http_port);
  check_not_negative(problems, "log_size_limit", opts.log_size_limit);
  check_not_negative(problems, "max_traced_msg_len", opts.max_traced_msg_len);
  check_not_negative(problems, "event_loops", opts.event_loops);
  if (opts.event_loops > 1024) problems.push_back("event_loops cannot be more than 1024");
  if (opts.idle_poll < std::chrono::nanoseconds{0} || opts.idle_poll > std::chrono::seconds{1})
    problems.push_back("idle_poll must be from 0 to 1s");
  if (opts.lame_duck_grace_period >= opts.lame_duck_duration)
    problems.push_back(fmt::format(
        "lame_duck_grace_period ({}) must be less than lame_duck_duration ({})",
        format_duration(opts.lame_duck_grace_period), format_duration(opts.lame_duck_duration)));
  if (opts.max_payload > opts.max_pending)
    problems.push_back(fmt::format("max_payload ({}) cannot be more than max_pending ({})",
                                   opts.max_payload, opts.max_pending));
  if (opts.server_name.find(' ') != opts.server_name.npos)
    problems.push_back("server_name cannot contain spaces");
  if (!opts.client_advertise.empty() && !is_advertisable(opts.client_advertise))
    problems.push_back(fmt::format("client_advertise \"{}\" is neither \"host\" nor \"host:port\"",
                                   opts.client_advertise));
  if (!is_domain(opts.js_domain))
    problems.push_back(
        fmt::format("domain \"{}\" must be one token of a subject: without '.', '*', "
                    "'>' and blanks",
                    opts.js_domain));
  return problems;
}

}  // namespace vagus

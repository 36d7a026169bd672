#include "actors/monitor/varz.hpp"

#include "actors/monitor/json_writer.hpp"
#include "actors/monitor/texts.hpp"

#include <cmath>
#include <fstream>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace vagus {

namespace {

double seconds(std::chrono::nanoseconds d) {
  return std::chrono::duration<double>{d}.count();
}

void render_identity(json_writer& out, const settings& s, const varz_facts& f) {
  const auto& opts = s.opts;
  out.member("server_id", s.info.server_id).member("server_name", s.info.server_name);
  out.member("version", s.info.version).member("proto", 1).member("go", "none");
  out.member("host", s.info.host).member("port", s.info.port);
  out.optional("auth_required", s.info.auth_required);
  out.member("max_connections", opts.max_connections);
  out.optional("max_subscriptions", opts.max_subscriptions);
  out.member("ping_interval", opts.ping_interval.count()).member("ping_max", opts.ping_max);
  out.member("http_host", opts.http_host).member("http_port", f.http_port);
  out.member("http_base_path", opts.http_base_path).member("https_port", 0);
  out.member("auth_timeout", seconds(opts.auth_timeout));
  out.member("max_control_line", opts.max_control_line).member("max_payload", opts.max_payload);
  out.member("max_pending", opts.max_pending);
  for (auto off : {"cluster", "gateway", "leaf", "mqtt", "websocket"})
    out.key(off).begin_object().end_object();
  render_varz_jetstream(out.key("jetstream"), f.jetstream.get());
  out.member("tls_timeout", 2.0).member("write_deadline", opts.write_deadline.count());
}

void render_process(json_writer& out, const varz_facts& f) {
  out.member("start", time_text(f.start)).member("now", time_text(f.now));
  out.member("uptime", uptime_text(f.now - f.start)).member("mem", f.resident_bytes);
  out.member("cores", std::thread::hardware_concurrency()).member("gomaxprocs", f.event_loops);
  out.member("cpu", f.cpu_percent);
}

connections_view::traffic total(const connections_view& view) {
  auto sum = view.ended;
  for (const auto& r : view.open) {
    const auto& c = r->traffic->counters;
    sum.in_msgs += c.in_msgs;
    sum.in_bytes += c.in_bytes;
    sum.out_msgs += c.out_msgs;
    sum.out_bytes += c.out_bytes;
  }
  return sum;
}

void render_traffic(json_writer& out, const varz_facts& f) {
  auto sum = total(*f.connections);
  out.member("connections", f.connections->open.size());
  out.member("total_connections", f.connections->total);
  out.member("routes", 0).member("remotes", 0).member("leafnodes", 0);
  // All messages are those of clients, as long as there are no other servers.
  out.member("in_msgs", sum.in_msgs).member("in_bytes", sum.in_bytes);
  out.member("in_client_msgs", sum.in_msgs).member("in_client_bytes", sum.in_bytes);
  out.member("out_msgs", sum.out_msgs).member("out_bytes", sum.out_bytes);
  out.member("out_client_msgs", sum.out_msgs).member("out_client_bytes", sum.out_bytes);
  out.member("slow_consumers", f.slow_consumers);
  out.member("stale_connections", f.stale_connections);
  out.member("stalled_clients", f.stalled_clients).member("subscriptions", f.subscriptions);
}

void render_by_kind(json_writer& out, std::string_view name, uint64_t clients) {
  out.key(name).begin_object().member("clients", clients);
  out.member("routes", 0).member("gateways", 0).member("leafs", 0).end_object();
}

void render_configuration(json_writer& out, const settings& s) {
  out.member("config_load_time", time_text(s.loaded));
  out.member("config_digest", s.opts.config_digest);
  if (!s.opts.server_tags.empty()) {
    out.key("tags").begin_array();
    for (const auto& tag : s.opts.server_tags) out.value(tag);
    out.end_array();
  }
  if (!s.opts.server_metadata.empty()) {
    out.key("metadata").begin_object();
    for (const auto& [name, value] : s.opts.server_metadata) out.member(name, value);
    out.end_object();
  }
  out.key("feature_flags").begin_object().end_object();
}

}  // namespace

std::string render_varz(const settings& current, const varz_facts& f) {
  json_writer out;
  out.begin_object();
  render_identity(out, current, f);
  render_process(out, f);
  render_traffic(out, f);
  out.key("http_req_stats").begin_object();
  for (const auto& [path, count] : f.requests) out.member(path, count);
  out.end_object();
  render_configuration(out, current);
  render_by_kind(out, "slow_consumer_stats", f.slow_consumers);
  render_by_kind(out, "stale_connection_stats", f.stale_connections);
  // Nothing is stored on disks, so nobody waits for one.
  out.key("disk_io_wait_stats").begin_object();
  for (auto none : {"waiters", "waits", "wait_time", "max_wait_time"}) out.member(none, 0);
  out.end_object();
  return out.end_object().take();
}

// ---- the process ----

namespace {

std::chrono::nanoseconds cpu_time() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  auto duration = [](const timeval& t) {
    return std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_usec};
  };
  return duration(used.ru_utime) + duration(used.ru_stime);
}

}  // namespace

process_usage::process_usage()
    : measured_at_{std::chrono::steady_clock::now()}, cpu_time_{cpu_time()} {}

double process_usage::cpu_percent() {
  auto now = std::chrono::steady_clock::now();
  if (now - measured_at_ < std::chrono::seconds{1}) return percent_;
  auto used = cpu_time();
  percent_ = std::round(seconds(used - cpu_time_) / seconds(now - measured_at_) * 1000) / 10;
  measured_at_ = now;
  cpu_time_ = used;
  return percent_;
}

int64_t process_usage::resident_bytes() {
  std::ifstream in{"/proc/self/statm"};
  int64_t size = 0, resident = 0;
  in >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace vagus

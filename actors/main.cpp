#include "actors/broker.hpp"
#include "net/log.hpp"
#include "net/options/load.hpp"
#include "storage/tool.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <malloc.h>
#include <string_view>
#include <sys/resource.h>

namespace {

using namespace vagus;

/// CAF's own groups of a configuration file, handed on.
struct system_config : caf::actor_system_config {
  explicit system_config(const caf::settings& groups) {
    // Few actors run on the scheduler's threads: what blocks (bcrypt, disks). Enough for both.
    set("scheduler.max-threads", caf::config_value{int64_t{2}});
    for (const auto& [key, value] : groups) content[key] = value;
  }
};

/// As many open files as the system lets us have, as every connection is one.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    log_warning("the limit of open files stays at {}", limit.rlim_cur);
}

/// Buffers of some hundred KiB come and go with every read: keep them, rather than map them anew.
void tune_allocator() {
  mallopt(M_MMAP_THRESHOLD, 8 * 1024 * 1024);
  mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
}

int print(const print_request& p) {
  std::fputs(p.out.c_str(), stdout);
  std::fputs(p.err.c_str(), stderr);
  return p.exit_code;
}

int signal_other(const signal_request& r) {
  if (auto error = send_signal(r, "vagus", system_processes())) {
    fmt::print(stderr, "vagus: {}\n", *error);
    return 1;
  }
  return 0;
}

std::optional<options> reread(int argc, char** argv, std::string& error) {
  auto again = load(argc, argv, process_environment());
  if (auto* request = std::get_if<run_request>(&again)) return request->opts;
  if (auto* failed = std::get_if<print_request>(&again)) error = failed->err;
  while (!error.empty() && error.back() == '\n') error.pop_back();
  return std::nullopt;
}

int run(const run_request& request, int argc, char** argv) {
  std::fputs(request.warnings.c_str(), stderr);
  std::signal(SIGPIPE, SIG_IGN);
  tune_allocator();
  open_log(request.opts);
  raise_file_limit();
  system_config config{request.caf};
  caf::actor_system system{config};
  broker server{system, request.opts,
                [=](std::string& error) { return reread(argc, argv, error); }};
  server.wait();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 1 && std::string_view{argv[1]} == "store")
      return run_store_tool({argv + 2, argv + argc}, std::cout, std::cerr);
    auto wanted = load(argc, argv, process_environment());
    if (auto* p = std::get_if<print_request>(&wanted)) return print(*p);
    if (auto* s = std::get_if<signal_request>(&wanted)) return signal_other(*s);
    return run(std::get<run_request>(wanted), argc, argv);
  } catch (const std::exception& e) {
    if (log_enabled(log_level::fatal))
      log_fatal("{}", e.what());
    else
      fmt::print(stderr, "vagus: {}\n", e.what());
    return 1;
  }
}

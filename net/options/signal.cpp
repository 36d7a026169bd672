#include "net/options/signal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <signal.h>
#include <unistd.h>

namespace vagus {

namespace {

struct signal_name {
  std::string_view command;
  int number;
};

constexpr signal_name signal_names[] = {
    {"ldm", SIGUSR2},  {"stop", SIGKILL},   {"quit", SIGINT},
    {"term", SIGTERM}, {"reopen", SIGUSR1}, {"reload", SIGHUP},
};

std::string trimmed(const std::string& text) {
  constexpr auto space = " \t\r\n";
  auto first = text.find_first_not_of(space);
  return first == text.npos ? "" : text.substr(first, text.find_last_not_of(space) - first + 1);
}

std::string content_if_file(const std::string& name) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(name, ignored)) return name;
  std::ifstream file(name);
  std::string line;
  if (!std::getline(file, line)) return name;
  return trimmed(line);
}

/// 0 and negative numbers mean whole groups of processes to kill(2), so they are no pids here.
std::optional<int> parse_pid(std::string_view text) {
  int pid = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc{} || rest != text.data() + text.size() || pid <= 0) return std::nullopt;
  return pid;
}

std::vector<int> running_processes(const std::string& name) {
  std::vector<int> result;
  std::error_code error;
  for (auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    auto pid = parse_pid(entry.path().filename().string());
    if (!pid || *pid == ::getpid()) continue;
    std::ifstream file(entry.path() / "comm");
    std::string line;
    // The kernel keeps 15 characters of a name.
    if (std::getline(file, line) && line == name.substr(0, 15)) result.push_back(*pid);
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

process_table system_processes() {
  auto send = [](int pid, int number) -> std::string {
    return ::kill(pid, number) == 0 ? "" : std::strerror(errno);
  };
  return {running_processes, send};
}

parsed_signal parse_signal(std::string_view text) {
  parsed_signal result;
  auto equals = text.find('=');
  result.request.command = text.substr(0, equals);
  auto& command = result.request.command;
  auto found = std::find_if(std::begin(signal_names), std::end(signal_names),
                            [&](auto& x) { return x.command == command; });
  if (found == std::end(signal_names)) {
    result.error = fmt::format("unknown signal \"{}\"", command);
    return result;
  }
  result.request.number = found->number;
  if (equals == text.npos) return result;
  auto pid = content_if_file(std::string{text.substr(equals + 1)});
  auto digits = pid.ends_with('*') ? pid.substr(0, pid.size() - 1) : pid;
  if (!digits.empty() && !parse_pid(digits)) result.error = fmt::format("invalid pid: {}", digits);
  result.request.pid = std::move(pid);
  return result;
}

std::optional<std::string> send_signal(const signal_request& request, const std::string& program,
                                       const process_table& processes) {
  std::vector<int> pids;
  bool prefix = request.pid.ends_with('*');
  if (request.pid.empty() || prefix) {
    pids = processes.running(program);
    auto digits = request.pid.substr(0, request.pid.size() - (prefix ? 1 : 0));
    std::erase_if(pids, [&](int pid) { return !std::to_string(pid).starts_with(digits); });
    if (pids.empty()) return fmt::format("no {} process is running", program);
    if (pids.size() > 1 && !prefix) {
      auto message = fmt::format("several {} processes are running, name one:", program);
      for (int pid : pids) message += fmt::format("\n{}", pid);
      return message;
    }
  } else if (auto pid = parse_pid(request.pid)) {
    pids.push_back(*pid);
  } else {
    return fmt::format("invalid pid: {}", request.pid);
  }
  std::string errors;
  for (int pid : pids) {
    auto error = processes.send(pid, request.number);
    if (!error.empty())
      errors += fmt::format("{}signal \"{}\" to {}: {}", errors.empty() ? "" : "\n",
                            request.command, pid, error);
  }
  if (errors.empty()) return std::nullopt;
  return errors;
}

}  // namespace vagus

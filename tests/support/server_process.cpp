#include "tests/support/server_process.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <signal.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace vagus::test {
namespace {

namespace fs = std::filesystem;

// Between fork and exec only async-signal-safe calls: the argument vector is built before.
[[noreturn]] void run_child(char* const* argv, int output, const char* directory,
                            uint64_t max_files) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::chdir(directory) != 0) ::_exit(126);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  if (max_files != 0) {
    const rlimit limit{max_files, max_files};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ::execv(argv[0], argv);
  ::_exit(127);
}

/// A server that was killed leaves its file, and a later one may get its process id.
void forget_killed(const std::string& dir) {
  constexpr std::string_view ending = ".ports";
  for (const auto& entry : fs::directory_iterator{dir}) {
    const auto name = entry.path().filename().string();
    const auto at = name.rfind('_');
    if (!name.ends_with(ending) || at == name.npos) continue;
    const auto pid = std::atoi(name.c_str() + at + 1);
    if (pid > 0 && ::kill(pid, 0) != 0) fs::remove(entry.path());
  }
}

std::vector<std::string> server_command(const server_options& options, const std::string& dir) {
  forget_killed(dir);
  std::vector<std::string> command{
      options.binary,     "-a", "127.0.0.1", "-p", std::to_string(options.port),
      "--ports_file_dir", dir};
  // Servers must not share a store, whatever directory is their default.
  const auto& flags = options.flags;
  if (std::find(flags.begin(), flags.end(), "-sd") == flags.end() &&
      options.config.find("store_dir") == std::string::npos)
    command.insert(command.end(), {"-sd", dir + "/store"});
  command.insert(command.end(), flags.begin(), flags.end());
  if (!options.config.empty()) {
    std::ofstream{dir + "/server.conf"} << options.config;
    command.insert(command.end(), {"-c", dir + "/server.conf"});
  }
  return command;
}

// The port at the end of the first URL of that kind, 0 if there is none.
int port_of(const nlohmann::json& ports, const char* kind) {
  if (!ports.contains(kind) || ports[kind].empty()) return 0;
  const auto url = ports[kind][0].get<std::string>();
  return std::stoi(url.substr(url.rfind(':') + 1));
}

}  // namespace

temp_dir::temp_dir() {
  auto name = (fs::temp_directory_path() / "vagus-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw failure{"cannot create " + name};
  path_ = name;
}

temp_dir::~temp_dir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

child_process::child_process(const std::vector<std::string>& command,
                             const std::string& output_file, uint64_t max_files) {
  std::vector<char*> argv;
  const auto program = fs::absolute(command.front()).string();
  for (const auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.front() = const_cast<char*>(program.c_str());
  argv.push_back(nullptr);
  const auto directory = fs::absolute(output_file).parent_path().string();
  const int output = ::open(output_file.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  if (output < 0) throw failure{"cannot write " + output_file};
  pid_ = ::fork();
  if (pid_ == 0) run_child(argv.data(), output, directory.c_str(), max_files);
  ::close(output);
  if (pid_ < 0) throw failure{std::string{"fork: "} + std::strerror(errno)};
}

child_process::~child_process() {
  if (!alive()) return;
  signal(SIGKILL);
  wait();
}

void child_process::signal(int number) const {
  if (pid_ > 0 && !exit_) ::kill(pid_, number);
}

bool child_process::alive() {
  return pid_ > 0 && !wait(std::chrono::milliseconds{0});
}

std::optional<int> child_process::wait(std::chrono::milliseconds limit) {
  eventually(
      [this] {
        if (exit_) return true;
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
        exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        return true;
      },
      limit);
  return exit_;
}

server_process::server_process(const server_options& options, const std::string& dir)
    : dir_{dir},
      log_file_{dir + "/server.log"},
      process_{server_command(options, dir), log_file_, options.max_files} {
  const auto ending = std::string{"_"} + std::to_string(process_.pid()) + ".ports";
  const bool ready = eventually([&] {
    for (const auto& entry : fs::directory_iterator{dir_}) {
      if (!entry.path().string().ends_with(ending)) continue;
      const auto ports = nlohmann::json::parse(read_file(entry.path()), nullptr, false);
      if (ports.is_discarded()) return false;
      ports_file_ = entry.path();
      port_ = port_of(ports, "nats");
      http_port_ = port_of(ports, "monitoring");
      return true;
    }
    return !process_.alive();
  });
  if (!ready || port_ == 0) throw failure{"the server did not start; its log:\n" + log()};
}

void server_process::write_config(const std::string& text) const {
  std::ofstream{dir_ + "/server.conf"} << text;
}

bool server_process::wait_log(const std::function<bool(const std::string&)>& matches) const {
  return eventually([&] {
    std::istringstream lines{log()};
    for (std::string line; std::getline(lines, line);)
      if (matches(line)) return true;
    return false;
  });
}

uint64_t server_process::rss_bytes() const {
  std::ifstream statm{"/proc/" + std::to_string(process_.pid()) + "/statm"};
  uint64_t total = 0;
  uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

uint64_t server_process::open_files() const {
  const fs::directory_iterator files{"/proc/" + std::to_string(process_.pid()) + "/fd"};
  return static_cast<uint64_t>(std::distance(begin(files), end(files)));
}

void server_process::stop() {
  process_.signal(SIGTERM);
  const auto code = process_.wait();
  if (!code) throw failure{"still running after SIGTERM; its log:\n" + log()};
  if (*code != 0)
    throw failure{"exit code " + std::to_string(*code) + " after SIGTERM; its log:\n" + log()};
}

bool eventually(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return true;
}

uint64_t raise_file_limit(uint64_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return limit.rlim_cur;
  const rlimit higher{wanted, std::max<rlim_t>(wanted, limit.rlim_max)};
  if (::setrlimit(RLIMIT_NOFILE, &higher) != 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace vagus::test

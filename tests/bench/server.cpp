#include "server.hpp"

#include "common.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <signal.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace vagus::bench {

namespace {

namespace fs = std::filesystem;

/// The children that the signal thread has to end; a slot of 0 is free.
std::array<std::atomic<pid_t>, 8> children{};

void remember(pid_t pid) {
  for (auto& slot : children) {
    pid_t free = 0;
    if (slot.compare_exchange_strong(free, pid)) return;
  }
}

void forget(pid_t pid) {
  for (auto& slot : children) slot.compare_exchange_strong(pid, 0);
}

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int s : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, s);
  return set;
}

[[noreturn]] void end_on_signal(const std::string& directory) {
  const sigset_t set = ending_signals();
  int signal = 0;
  sigwait(&set, &signal);
  for (auto& slot : children)
    if (const pid_t pid = slot.load(); pid > 0) kill(pid, SIGKILL);
  std::error_code ignored;
  fs::remove_all(directory, ignored);
  _exit(128 + signal);
}

std::string slurp(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// The child's side of the fork: only async-signal-safe calls until exec.
[[noreturn]] void run_child(char* const* argv, const char* log, const sigset_t* signals) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigprocmask(SIG_UNBLOCK, signals, nullptr);
  const int fd = open(log, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  if (fd >= 0) {
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
  }
  execv(argv[0], argv);
  _exit(127);
}

}  // namespace

workspace::workspace(const std::string& parent) {
  std::string name =
      (parent.empty() ? fs::temp_directory_path() : fs::path(parent)) / "vagus-bench-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw failure("cannot make a temporary directory");
  directory_ = name;
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([name] { end_on_signal(name); }).detach();
}

workspace::~workspace() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

server_process::server_process(const workspace& space, const server_setup& setup)
    : directory_(space.directory()),
      log_(space.directory() + "/server.log"),
      patience_(setup.patience) {
  std::vector<std::string> args = {setup.program,      "-a",      "127.0.0.1", "-p", "-1",
                                   "--ports_file_dir", directory_};
  if (std::find(setup.args.begin(), setup.args.end(), "-sd") == setup.args.end())
    args.insert(args.end(), {"-sd", directory_ + "/store"});
  args.insert(args.end(), setup.args.begin(), setup.args.end());
  std::vector<char*> argv;
  for (auto& a : args) argv.push_back(a.data());
  argv.push_back(nullptr);
  setenv("GOMAXPROCS", "2", 1);
  const sigset_t set = ending_signals();
  begin_ = steady::now();
  pid_ = fork();
  if (pid_ < 0) throw failure("cannot fork");
  if (pid_ == 0) run_child(argv.data(), log_.c_str(), &set);
  remember(pid_);
  try {
    await_port();
  } catch (...) {
    end();
    throw;
  }
}

server_process::~server_process() {
  end();
}

void server_process::await_port() {
  std::string suffix = "_";
  suffix.append(std::to_string(pid_)).append(".ports");
  const std::string scheme = "nats://127.0.0.1:";
  while (steady::now() - begin_ < patience_) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      forget(pid_);
      pid_ = -1;
      throw failure("the server ended at once: " + log_tail());
    }
    for (const auto& entry : fs::directory_iterator(directory_)) {
      if (!entry.path().filename().string().ends_with(suffix)) continue;
      const std::string text = slurp(entry.path());
      const size_t at = text.find(scheme);
      if (at == std::string::npos || text.find('}') == std::string::npos) continue;
      port_ = static_cast<uint16_t>(std::atoi(text.c_str() + at + scheme.size()));
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  throw failure("no ports file from the server: " + log_tail());
}

/// False when it did not end by itself.
bool server_process::end() {
  if (pid_ <= 0) return true;
  ::kill(pid_, SIGTERM);
  bool killed = false;
  for (const auto begin = steady::now(); waitpid(pid_, nullptr, WNOHANG) == 0;) {
    killed = steady::now() - begin > patience_;
    if (killed) ::kill(pid_, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  forget(pid_);
  pid_ = -1;
  return !killed;
}

void server_process::stop() {
  if (!end()) throw failure("the server does not end: " + log_tail());
}

void server_process::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  forget(pid_);
  pid_ = -1;
}

double server_process::cpu_seconds() const {
  clockid_t id{};
  if (clock_getcpuclockid(pid_, &id) != 0) throw failure("the server is gone: " + log_tail());
  return bench::cpu_seconds(id);
}

double server_process::bytes_of_status(const char* field) const {
  const std::string status = slurp("/proc/" + std::to_string(pid_) + "/status");
  const size_t at = status.find(field);
  if (at == std::string::npos) throw failure("the server is gone: " + log_tail());
  return std::atof(status.c_str() + status.find(':', at) + 1) * 1024;
}

double server_process::resident_bytes() const {
  return bytes_of_status("VmRSS:");
}

double server_process::anonymous_bytes() const {
  return bytes_of_status("RssAnon:");
}

std::string server_process::log_tail() const {
  std::string text = slurp(log_);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  constexpr size_t most = 600;
  return text.size() > most ? text.substr(text.size() - most) : text;
}

double machine_busy_seconds() {
  std::istringstream line(slurp("/proc/stat"));
  std::string cpu;
  double user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft_irq = 0, steal = 0;
  line >> cpu >> user >> nice >> system >> idle >> wait >> irq >> soft_irq >> steal;
  return (user + nice + system + irq + soft_irq + steal) /
         static_cast<double>(sysconf(_SC_CLK_TCK));
}

double processors() {
  return static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
}

}  // namespace vagus::bench

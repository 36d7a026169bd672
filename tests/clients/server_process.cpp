#include "tests/clients/server_process.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <signal.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace vagus::clients {

namespace {

using namespace std::chrono_literals;

constexpr auto start_limit = 30s;
constexpr auto stop_limit = 15s;
constexpr auto poll_interval = 2ms;

std::string server_program() {
  const char* path = std::getenv("VAGUS_SERVER");
  if (path == nullptr) throw std::runtime_error("VAGUS_SERVER does not name a server");
  return path;
}

std::string read_all(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

int code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// The port in a ports file, or -1 while the file is missing or half written.
int port_in(const std::filesystem::path& file) {
  auto ports = nlohmann::json::parse(read_all(file), nullptr, false);
  if (ports.is_discarded() || !ports.contains("nats") || ports["nats"].empty()) return -1;
  auto url = ports["nats"][0].get<std::string>();
  return std::stoi(url.substr(url.rfind(':') + 1));
}

}  // namespace

server_process::temporary_directory::temporary_directory() {
  auto pattern = (std::filesystem::temp_directory_path() / "vagus-client-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path = pattern;
}

server_process::temporary_directory::~temporary_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

server_process::server_process(flags extra) : extra_(std::move(extra)) {
  spawn("-1");
  port_ = await_port();
}

server_process::~server_process() {
  CHECK(stop() == 0);
}

std::string server_process::url() const {
  return "nats://127.0.0.1:" + std::to_string(port_);
}

std::string server_process::url(const std::string& credentials) const {
  return "nats://" + credentials + "@127.0.0.1:" + std::to_string(port_);
}

int server_process::stop() {
  if (pid_ < 0) return 0;
  kill(pid_, SIGTERM);
  return await_exit(stop_limit);
}

void server_process::start() {
  spawn(std::to_string(port_));
  await_port();
}

void server_process::spawn(const std::string& port) {
  auto program = server_program();
  std::vector<std::string> words = {program,
                                    "-a",
                                    "127.0.0.1",
                                    "-p",
                                    port,
                                    "--ports_file_dir",
                                    dir_.path.string(),
                                    "-sd",
                                    dir_.path / "store"};
  words.insert(words.end(), extra_.begin(), extra_.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int log = open((dir_.path / "output").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  // Other threads may hold locks, so the child calls only what is safe after a fork.
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(program.c_str(), argv.data());
    _exit(127);
  }
  close(log);
  if (pid_ < 0) throw std::runtime_error("fork failed");
}

int server_process::await_port() {
  auto name = std::filesystem::path(server_program()).filename().string();
  auto file = dir_.path / (name + "_" + std::to_string(pid_) + ".ports");
  auto deadline = std::chrono::steady_clock::now() + start_limit;
  while (std::chrono::steady_clock::now() < deadline) {
    if (int port = port_in(file); port > 0) return port;
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      throw std::runtime_error("the server left with " + std::to_string(code_of(status)) + ":\n" +
                               output());
    }
    std::this_thread::sleep_for(poll_interval);
  }
  kill(pid_, SIGKILL);
  await_exit(stop_limit);
  throw std::runtime_error("no ports file in time:\n" + output());
}

int server_process::await_exit(std::chrono::seconds limit) {
  auto deadline = std::chrono::steady_clock::now() + limit;
  int status = 0;
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) kill(pid_, SIGKILL);
    std::this_thread::sleep_for(poll_interval);
  }
  pid_ = -1;
  return code_of(status);
}

std::string server_process::output() const {
  return read_all(dir_.path / "output");
}

}  // namespace vagus::clients

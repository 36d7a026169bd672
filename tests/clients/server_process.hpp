#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace vagus::clients {

/// A server under test: the program that VAGUS_SERVER names, started on a free loopback port.
/// The constructor returns when clients can connect and throws `std::runtime_error`, with the
/// server's output, when that does not happen. The destructor stops the server and fails the
/// running test case if it did not leave with exit code 0. Used from the test's main thread only:
/// the server dies with the thread that started it.
class server_process {
public:
  using flags = std::vector<std::string>;

  explicit server_process(flags extra = {});
  ~server_process();
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  /// `nats://127.0.0.1:<port>`; the same after a restart.
  std::string url() const;

  /// The same with credentials, e.g. `user:password` or a token.
  std::string url(const std::string& credentials) const;

  /// Sends SIGTERM and waits; returns the exit code, or 128 plus the signal that ended the server.
  /// One that does not leave in time is killed. Returns 0 if none runs.
  int stop();

  /// Starts the server again on the port that it had.
  void start();

private:
  /// Removed with everything in it at the end of its life, also if the server does not start.
  struct temporary_directory {
    temporary_directory();
    ~temporary_directory();
    std::filesystem::path path;
  };

  void spawn(const std::string& port);
  int await_port();
  int await_exit(std::chrono::seconds limit);
  std::string output() const;

  flags extra_;
  temporary_directory dir_;
  pid_t pid_ = -1;
  int port_ = -1;
};

}  // namespace vagus::clients

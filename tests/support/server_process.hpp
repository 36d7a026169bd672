#pragma once

#include "tests/support/text.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace vagus::test {

/// A directory of its own under the system's temporary one, removed with all in it on destruction.
class temp_dir {
public:
  temp_dir();
  ~temp_dir();
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;
  const std::string& path() const { return path_; }

private:
  std::string path_;
};

/// A child process whose output goes to a file, in whose directory it runs. It is killed on
/// destruction, and by the kernel if the test itself dies; nothing is ever killed by name.
class child_process {
public:
  /// `max_files`: the child's RLIMIT_NOFILE, 0 for the test's own.
  child_process(const std::vector<std::string>& command, const std::string& output_file,
                uint64_t max_files = 0);
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  bool alive();
  /// Waits for the end; the exit code, or minus the number of the signal that ended it. Empty:
  /// still running after `limit`.
  std::optional<int> wait(std::chrono::milliseconds limit = patience);

private:
  pid_t pid_ = -1;
  std::optional<int> exit_;
};

struct server_options {
  std::string binary;
  std::vector<std::string> flags;
  std::string config;      ///< text of the file for -c; empty: no -c
  uint64_t max_files = 0;  ///< RLIMIT_NOFILE, 0 for the test's own
  int port = -1;           ///< -1 for any that is free
};

/// A server on a free port of 127.0.0.1, ready for clients once constructed; otherwise the
/// constructor throws `failure` with the server's log.
class server_process {
public:
  /// Files (configuration, ports, log) go to `dir`, which must outlive this.
  server_process(const server_options& options, const std::string& dir);

  int port() const { return port_; }
  int http_port() const { return http_port_; }  ///< 0 without monitoring
  const std::string& ports_file() const { return ports_file_; }
  child_process& process() { return process_; }

  void write_config(const std::string& text) const;
  std::string log() const { return read_file(log_file_); }
  /// Waits until the log has a line that `matches` accepts.
  bool wait_log(const std::function<bool(const std::string&)>& matches) const;

  uint64_t rss_bytes() const;   ///< resident memory
  uint64_t open_files() const;  ///< file descriptors in use
  /// Ends it with SIGTERM; throws `failure` unless it exits with 0.
  void stop();

private:
  std::string dir_;
  std::string log_file_;
  child_process process_;
  std::string ports_file_;
  int port_ = 0;
  int http_port_ = 0;
};

/// Calls `done` until it is true or `limit` has passed; returns whether it became true.
bool eventually(const std::function<bool()>& done, std::chrono::milliseconds limit = patience);

/// Raises this process' own limit of file descriptors to at least `wanted` if the system permits;
/// returns the limit in force.
uint64_t raise_file_limit(uint64_t wanted);

}  // namespace vagus::test

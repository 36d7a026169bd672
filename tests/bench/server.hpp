#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <sys/types.h>
#include <vector>

namespace vagus::bench {

/// Everything about one run that outlives a server: the temporary directory for ports files and
/// logs, and the promise that no child survives this process, however it ends.
/// Construct it once, before any thread: it blocks SIGINT, SIGTERM and SIGHUP and waits for them
/// on a thread of its own, which kills the children by pid and removes the directory.
class workspace {
public:
  /// Below `parent`; the system's directory for temporary files when that is empty.
  explicit workspace(const std::string& parent = {});
  ~workspace();
  workspace(const workspace&) = delete;
  workspace& operator=(const workspace&) = delete;

  const std::string& directory() const { return directory_; }

private:
  std::string directory_;
};

/// What to start, and how long it may take to be ready and to end.
struct server_setup {
  std::string program;
  std::vector<std::string> args = {};
  std::chrono::seconds patience{10};
};

/// A server process: started on a free loopback port by the constructor, which returns when the
/// ports file is there; ended and reaped by the destructor.
/// Throws `failure` when the program cannot be started or announces no port.
class server_process {
public:
  server_process(const workspace& space, const server_setup& setup);
  ~server_process();
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }

  /// When it was started.
  std::chrono::steady_clock::time_point begin() const { return begin_; }

  /// Ends it and waits for that; `failure` when it had to be killed.
  void stop();

  /// Ends it at once, without a chance to put its store in order, for which some servers take
  /// minutes where they have many consumers.
  void kill();

  /// User and system time of all its threads, living or ended.
  double cpu_seconds() const;

  /// Resident bytes (VmRSS).
  double resident_bytes() const;

  /// Those of them that are no pages of files (RssAnon).
  double anonymous_bytes() const;

  /// The last lines it printed, for error messages.
  std::string log_tail() const;

private:
  void await_port();
  bool end();
  double bytes_of_status(const char* field) const;

  std::string directory_;
  std::string log_;
  std::chrono::seconds patience_;
  std::chrono::steady_clock::time_point begin_;
  pid_t pid_ = -1;
  uint16_t port_ = 0;
};

/// Seconds that all processors together have spent on anything since boot; what is more than the
/// server's and our own part of it was other programs' and disturbed the measurement.
double machine_busy_seconds();

/// How many processors there are, as a number to divide by.
double processors();

}  // namespace vagus::bench

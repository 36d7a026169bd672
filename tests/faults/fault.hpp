#pragma once

#include "tests/support/raw_connection.hpp"
#include "tests/support/server_process.hpp"

#include <functional>
#include <string>
#include <vector>

namespace vagus::test {

/// What one test does to a server of its own. It throws `failure` if the server gives way.
struct fault {
  std::string name;
  std::function<void(const std::string& binary)> run;
};

/// A server in a directory of its own, for one fault.
class victim {
public:
  explicit victim(server_options options) : server_{options, dir_.path()} {}

  server_process* operator->() { return &server_; }
  /// A fresh pair of clients is served as if nothing had happened.
  void check_serves();
  /// The same, and then it stops cleanly.
  void check_survived();
  /// Resident memory has not grown by more than `mebibytes` over `before`. (With AddressSanitizer
  /// four times as much and its quarantine are let pass.)
  void check_memory(uint64_t before, uint64_t mebibytes, const std::string& what);
  /// Descriptors in use once it has served a first pair of clients and they are gone.
  uint64_t open_files_when_idle();
  /// One field of /varz, for which the server needs the flags `-m -1`.
  double varz(const std::string& field);

private:
  temp_dir dir_;
  server_process server_;
};

void check(bool condition, const std::string& what);

/// The groups of faults, one per source file.
std::vector<fault> byte_faults();
std::vector<fault> json_faults();
std::vector<fault> socket_faults();
std::vector<fault> memory_faults();

}  // namespace vagus::test

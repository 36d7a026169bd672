#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// "-sl command[=pid]", checked as far as it can be without looking at processes.
struct signal_request {
  std::string command;  ///< ldm, stop, quit, term, reopen or reload
  int number = 0;       ///< what is sent for it
  std::string pid;  ///< digits, a prefix of digits before "*", or empty: the only running server
};

/// What sending signals needs of the system; tests put their own here.
struct process_table {
  std::function<std::vector<int>(const std::string& name)>
      running;                                           ///< by program name, without ourselves
  std::function<std::string(int pid, int number)> send;  ///< empty, or why it failed
};

/// The processes of this machine.
process_table system_processes();

struct parsed_signal {
  signal_request request;
  std::optional<std::string> error;
};

/// Reads the value of -sl. A pid that is the name of a readable file stands for that file's
/// content.
parsed_signal parse_signal(std::string_view text);

/// Sends the signal to the process asked for, else to the only process called `program`.
/// Returns what went wrong, if anything did.
std::optional<std::string> send_signal(const signal_request& request, const std::string& program,
                                       const process_table& processes);

}  // namespace vagus

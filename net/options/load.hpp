#pragma once

#include "net/options/conf_parser.hpp"
#include "net/options/options.hpp"
#include "net/options/signal.hpp"

#include <caf/settings.hpp>

#include <string>
#include <variant>

namespace vagus {

/// Run with these options. Print `warnings` to stderr first (may be empty; ends with a newline).
struct run_request {
  options opts;
  caf::settings caf;  ///< groups of a CAF file for the actor system: scheduler, work-stealing, ...
  std::string warnings;
};

/// Print both and exit.
struct print_request {
  std::string out;  ///< to stdout
  std::string err;  ///< to stderr
  int exit_code = 0;
};

using load_result = std::variant<run_request, print_request, signal_request>;

/// Turns the command line, and the files that it names, into what the program is to do. Flags
/// override the file. Touches nothing but those files and `env`; errors are a print_request with
/// exit code 1. A signal_request is for send_signal(); its error, if any, is printed with exit
/// code 1. Reloading means calling it again.
load_result load(int argc, const char* const* argv, const environment& env);

/// The environment of this process.
environment process_environment();

/// A file's text, if it is not larger than 16 MiB.
file_text read_text_file(const std::string& path);

/// The options of one file without any flags, and its CAF groups, or what is wrong with it (one
/// line for each error, each with its place). Both texts are empty or end with a newline.
struct loaded_file {
  options opts;
  caf::settings caf;
  std::string warnings;
  std::string errors;
};

/// Reads a file in the language that it is in (`looks_like_caf`), or in CAF's if `force_caf`.
loaded_file load_file(const std::string& path, const environment& env, bool force_caf = false);

}  // namespace vagus

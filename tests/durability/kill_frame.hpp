#pragma once

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

// What the programs that torture a server with one seed have in common.

namespace vagus::test {

/// A flag that they all have, and `--seconds` where there are some. False: it is none of these.
template <class Settings>
bool read_common_flag(Settings& how, const std::string& flag, const std::string& value) {
  if constexpr (requires { how.seconds; })
    if (flag == "--seconds") {
      how.seconds = std::atof(value.c_str());
      return true;
    }
  if (flag == "--server")
    how.server = value;
  else if (flag == "--rounds")
    how.rounds = std::atoi(value.c_str());
  else if (flag == "--seed")
    how.seed = std::strtoull(value.c_str(), nullptr, 10);
  else
    return false;
  return true;
}

/// Runs `test`, which answers what is to be said behind "ok <what>:", and prints how it went.
/// @return the exit code
template <class F>
int report(const std::string& what, F&& test) {
  ::signal(SIGPIPE, SIG_IGN);
  try {
    const std::string text = test();
    std::printf("ok    %s:%s\n", what.c_str(), text.c_str());
    return 0;
  } catch (const std::exception& e) {
    std::printf("FAIL  %s, %s\n", what.c_str(), e.what());
    return 1;
  }
}

}  // namespace vagus::test

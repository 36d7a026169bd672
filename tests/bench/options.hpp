#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace vagus::bench {

/// What the command line asks for; `usage()` is its documentation.
struct options {
  std::string peer;  ///< empty: vagus alone is measured, without ratios
  std::string vagus;
  std::vector<std::string> peer_args;  ///< appended to the flags that every server gets
  std::vector<std::string> vagus_args;
  std::string directory;           ///< for stores and logs; empty: the system's temporary one
  std::string relay;               ///< default: vagus_relay beside this program
  std::vector<std::string> cases;  ///< names or shell patterns; empty: all
  int rounds = 5;
  double seconds = 1.0;  ///< of load per measurement
  double warm_up = 0.15;
  size_t window = 32u << 20;    ///< bytes of frames that may be on their way
  size_t chunk = 128u << 10;    ///< bytes per write of a publisher
  double max_others = 100;      ///< percent of the machine; a more disturbed run is repeated
  size_t stored = 2'000'000;    ///< messages in the store that is opened
  size_t deleted = 100'000;     ///< messages deleted, half of those that are stored for it
  size_t consumed = 500'000;    ///< messages in the stream that consumers read
  size_t queued = 400'000;      ///< messages that go through the work queue
  size_t filtered = 5'000'000;  ///< messages of which a filter lets one in a thousand pass
  size_t consumers = 10'000;    ///< durables of one stream
  bool quick = false;           ///< tiny loads: a smoke run, not a measurement
  bool verify = false;          ///< parse and check every delivered message (slower)
  bool help = false;
  bool list = false;
  bool tsv = false;
  bool verbose = false;
};

/// Fills `result` from the command line. Returns an empty string, or what is wrong with it.
std::string parse_options(int argc, char** argv, options& result);

std::string usage();

}  // namespace vagus::bench

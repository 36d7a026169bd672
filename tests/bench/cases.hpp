#pragma once

#include "options.hpp"
#include "server.hpp"

#include <functional>
#include <string>
#include <vector>

namespace vagus::bench {

/// One measured number and what it cost.
struct sample {
  double value = 0;
  double server_ns = 0;  ///< server CPU per operation; 0: not meaningful
  double load_ns = 0;    ///< the load generator's own
};

/// What a number is compared with.
struct goal {
  enum class kind {
    ratio_at_least,  ///< vagus / reference
    ratio_at_most,
    value_at_least,  ///< vagus alone
    none,            ///< shown for information
  };
  kind what = kind::ratio_at_least;
  double limit = 1;
};

/// A line of the report.
struct row {
  std::string name;
  std::string unit;
  goal wanted;
};

/// One measurement set-up. `run` gets a server that was started for it alone and returns one sample
/// per row; it throws `failure` when the result would not mean what the row says.
struct bench_case {
  std::string name;
  std::string what;
  std::vector<row> rows;
  std::function<std::vector<sample>(const server_process&, const options&)> run;
  /// Not empty: the reference is not the peer but the relay, started with these flags.
  std::vector<std::string> relay_args = {};
  /// With the relay as reference, what to run against it.
  std::function<std::vector<sample>(const server_process&, const options&)> run_relay = {};
  /// Both servers get JetStream and a store directory, fresh for each measurement.
  bool jetstream = false;
  /// Configuration that only the peer gets, as text of a file.
  std::string peer_config = {};
  /// Fills the store once for each server; every measurement then is a new start on that directory.
  std::function<void(const server_process&, const options&)> prepare = {};
};

/// All cases, in the order of the report.
std::vector<bench_case> all_cases();

std::vector<bench_case> throughput_cases();
std::vector<bench_case> request_cases();
std::vector<bench_case> scale_cases();
std::vector<bench_case> churn_cases();
std::vector<bench_case> floor_cases();
std::vector<bench_case> stream_publish_cases();
std::vector<bench_case> stream_read_cases();
std::vector<bench_case> consumer_cases();
std::vector<bench_case> kv_cases();

}  // namespace vagus::bench

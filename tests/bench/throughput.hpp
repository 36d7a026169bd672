#pragma once

#include "cases.hpp"
#include "common.hpp"
#include "subscriber.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vagus::bench {

/// Who publishes what to whom.
struct topology {
  unsigned publishers = 1;
  unsigned subscribers = 1;
  std::vector<std::string> subjects = {"bench.data"};  ///< of equal length
  std::string subscriptions = "SUB bench.data 1\r\n";  ///< of each subscriber
  frame_shape shape;                                   ///< of what they receive
  size_t payload = 128;
  bool shared = false;  ///< each message goes to one subscriber (queue group), not to all
};

/// One publisher and one subscriber on one subject.
topology one_to_one(size_t payload);

/// The outcome of one interval of load.
struct phase {
  uint64_t published = 0;
  uint64_t delivered = 0;
  double seconds = 0;     ///< from the first write until everything was received and processed
  double server_cpu = 0;  ///< seconds
  double load_cpu = 0;    ///< seconds of this process
};

/// Delivered messages per second, or published ones where nobody subscribes.
sample rate_of(const phase& p);

/// Publishers and subscribers, a blocking thread each, connected to one server for several phases.
/// A publisher writes one prebuilt chunk after another and knows no flow control but TCP's, except
/// that all pause while more than the window is under way, below what makes a server drop a slow
/// consumer, so that no server is disturbed.
class throughput {
public:
  throughput(const server_process& server, const topology& what, const options& how);

  /// Load for `seconds`, then waits until all is delivered. Throws `failure` on loss or closing.
  phase run(double seconds);

private:
  void start_subscribers(uint16_t port, const options& how);
  void publish(unsigned index, steady::time_point until);
  void pause_while_full();
  uint64_t slowest() const;
  uint64_t total_received() const;
  void guarded(const std::function<void()>& work);
  void check(const phase& result) const;

  const server_process& server_;
  topology what_;
  bool verify_ = false;
  uint64_t window_frames_ = 0;
  std::vector<connection> publishers_;
  std::vector<chunk> chunks_;
  std::vector<std::unique_ptr<subscriber>> subscribers_;
  std::atomic<uint64_t> published_ = 0;
  std::vector<uint64_t> published_by_;
  std::atomic<bool> failed_ = false;
  std::mutex error_mutex_;
  std::string error_;
};

/// A warm-up, then one measured interval of `what`.
std::vector<sample> measure_rate(const server_process& server, const options& how,
                                 const topology& what);

}  // namespace vagus::bench

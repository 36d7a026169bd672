#pragma once

#include "tests/durability/kill_ledger.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace vagus::test {

/// Keeps a server busy until it dies: one thread for each connection that publishes to all streams
/// in random order, and one that deletes and purges where the ledger allows it.
class kill_load {
public:
  static constexpr size_t connections = 3;
  static constexpr size_t in_flight = 60;

  /// The ledgers must outlive it.
  kill_load(int port, std::deque<ledger>& ledgers, uint64_t seed);
  ~kill_load();

  /// Waits until `count` requests have been answered, and then for a moment more; throws `failure`
  /// with what the threads have found wrong, or when the server stops answering.
  void await(uint64_t count, std::chrono::microseconds moment);

  /// After the server's end: waits for the threads.
  void finish();

private:
  void guarded(const std::function<void()>& work);
  void publish(raw_connection& link, size_t connection);
  void remove(asker& client);
  bool remove_one(asker& client, ledger& from, std::mt19937_64& random);
  void answered();
  void join();
  void fail_if_wrong();

  std::deque<ledger>& ledgers_;
  uint64_t seed_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t answered_ = 0;
  bool stopping_ = false;
  std::string wrong_;
  // Connected before the threads start, so that a server may die at any time after that.
  std::deque<raw_connection> links_;
  asker remover_;
  std::vector<std::thread> threads_;
};

}  // namespace vagus::test

#pragma once

#include "tests/durability/exactly_once_ledger.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace vagus::test {

/// Publishers and workers of one stream for one life of the server: one thread and connection each.
/// Publishers repeat what was not acknowledged, and some of what was. Workers pull, and finish some
/// of what they get, give some back, and forget some without a word, as one that crashed.
class exactly_once_load {
public:
  static constexpr size_t publishers = 2;
  static constexpr size_t workers = 4;

  /// What the load is there for.
  enum class aim {
    go_on,  ///< until the server is gone
    drain,  ///< nothing new, nobody forgets; ends when all is acknowledged and finished
  };

  /// The ledger must outlive it.
  exactly_once_load(int port, exactly_once_ledger& ledger, uint64_t seed, aim what_for);
  ~exactly_once_load();

  /// Waits until `count` messages were acknowledged or finished, and a moment more; throws
  /// `failure` with what was found wrong.
  void await(uint64_t count, std::chrono::microseconds moment);

  /// After the server's end, or for `drain` at any time: waits for the threads.
  void finish();

private:
  struct worker;

  void guarded(const std::function<void()>& work);
  void publish(raw_connection& link, size_t number);
  void work(raw_connection& link, size_t number);
  bool pull(worker& w);
  bool take(worker& w, const delivered& message, uint64_t asked);
  bool acknowledge(worker& w, const exactly_once_ledger::delivery& what);
  bool acknowledge_late(worker& w);
  bool await_answers(worker& w);
  bool repeat_old(worker& w, size_t number);
  bool collect(worker& w, std::chrono::milliseconds limit);
  void answered();
  void await_progress();
  void join();
  bool stopped();
  void fail_if_wrong();

  exactly_once_ledger& ledger_;
  uint64_t seed_;
  aim aim_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t answered_ = 0;
  bool stopping_ = false;
  std::string wrong_;
  // Connected before the threads start, so that a server may die at any time after that.
  std::deque<raw_connection> links_;
  std::vector<std::thread> threads_;
};

}  // namespace vagus::test

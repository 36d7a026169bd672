#include "parallel.hpp"

#include "common.hpp"

#include <mutex>
#include <string>
#include <thread>

namespace vagus::bench {

void in_parallel(const std::vector<std::function<void()>>& work,
                 const std::function<void()>& abort_all) {
  std::mutex mutex;
  std::string error;
  std::vector<std::thread> threads;
  for (const auto& w : work)
    threads.emplace_back([&] {
      try {
        w();
      } catch (const failure& e) {
        const std::lock_guard lock(mutex);
        if (!error.empty()) return;
        error = e.what();
        abort_all();
      }
    });
  for (auto& t : threads) t.join();
  if (!error.empty()) throw failure(error);
}

}  // namespace vagus::bench

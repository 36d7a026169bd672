#pragma once

#include "actors/jetstream/jetstream_context.hpp"
#include "actors/loop_context.hpp"
#include "net/options/options.hpp"
#include "storage/writer_lock.hpp"

#include <caf/actor_system.hpp>

#include <filesystem>
#include <future>
#include <memory>
#include <vector>

namespace vagus {

/// JetStream as a whole, of one account: its storage threads, its API, its streams; in the order in
/// which they start, and backwards when they stop.
class jetstream_service {
public:
  /// Opens what is stored and starts the actors; blocks until every stream takes messages. The
  /// event loops must be running. Throws std::runtime_error that says what to do.
  jetstream_service(caf::actor_system& system, const settings& current,
                    std::vector<std::unique_ptr<loop_context>>& contexts);
  ~jetstream_service();

  /// Commits what has come in, closes every store and ends the actors; blocks until that is done.
  void stop();

  jetstream_context& context() { return context_; }

private:
  void configure(const settings& current);
  void announce() const;
  void lock(const std::filesystem::path& directory);

  writer_lock lock_;  ///< no other server stores in the same directory
  jetstream_context context_;
  std::promise<void> ready_;
  std::promise<void> ended_;
  bool stopped_ = false;
};

}  // namespace vagus

#pragma once

#include "actors/internal_client.hpp"
#include "actors/jetstream/jetstream_context.hpp"
#include "net/timers.hpp"
#include "storage/archive.hpp"

#include <memory>
#include <string>

namespace vagus {

struct restore_start {
  uint64_t id = 0;  ///< by which the JetStream API knows it
  stream_config_ptr config;
  api_request request;
};

/// STREAM.RESTORE: takes a stream's archive from a client, chunk by chunk, each of which it
/// acknowledges once a storage thread has read it; an empty message is the last. The stream grows
/// in a temporary directory, or in memory, and the JetStream API gets it when it is whole. What is
/// wrong with it the client learns at the end, as from nats-server.
class stream_restore_state final : private timed {
public:
  using handle = stream_restore_actor;
  static constexpr const char* name = "restore";

  /// Both contexts outlive it.
  stream_restore_state(handle::pointer self, loop_context& context, jetstream_context& js,
                       restore_start start);
  ~stream_restore_state();

  handle::behavior_type behavior();
  void after_run() {}

private:
  enum class phase : uint8_t { starting, receiving, finishing, ended };
  struct work;  ///< the storage thread's

  void start();
  void begin_if_ready();
  void take(const frame_batch& batch);
  void take_chunk(const message_view& chunk);
  void note_stored(const restore_step& step);
  void hand_over(std::string reply);
  void give_up(std::string_view why);
  void end();
  void quit_if_done();
  void wait_for_more();
  void on_time(time_point now) override;

  int64_t now_ns() const { return context_.wall_now(self_->clock().now()); }

  handle::pointer self_;
  loop_context& context_;
  jetstream_context& js_;
  const uint64_t id_;
  stream_config_ptr config_;
  api_request request_;
  std::shared_ptr<work> work_;
  storage_worker_actor worker_;
  internal_client client_;
  std::string deliver_subject_;

  phase phase_ = phase::starting;
  bool retired_ = false;  ///< nothing more can come from clients
  size_t in_progress_ = 0;  ///< chunks that the storage thread has
  uint64_t bytes_ = 0;      ///< received
  int64_t start_ns_ = 0;
  std::vector<caf::typed_response_promise<bool>> waiting_for_drain_;
};

}  // namespace vagus

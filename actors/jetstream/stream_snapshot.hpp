#pragma once

#include "actors/internal_client.hpp"
#include "actors/jetstream/jetstream_context.hpp"
#include "actors/jetstream/requests.hpp"
#include "net/timers.hpp"
#include "storage/archive.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace vagus {

struct snapshot_start {
  uint64_t id = 0;  ///< by which the JetStream API knows it
  std::string stream;
  stream_config_ptr config;
  uint64_t consumers = 0;
  std::weak_ptr<message_store> store;
  api_request request;
  stream_snapshot_request asked;
};

/// STREAM.SNAPSHOT: sends a stream's archive to a client, in chunks of the size that it asked for.
/// A full chunk has a reply subject, by which the client acknowledges it; `window_size` bounds what
/// is not acknowledged. What is shorter than a chunk is the last, and an empty message with a
/// status ends it. Reading is a storage thread's work, and no more is read than may be sent.
class stream_snapshot_state final : private timed {
public:
  using handle = stream_snapshot_actor;
  static constexpr const char* name = "snapshot";

  /// Both contexts outlive it.
  stream_snapshot_state(handle::pointer self, loop_context& context, jetstream_context& js,
                        snapshot_start start);
  ~stream_snapshot_state();

  handle::behavior_type behavior();
  void after_run() {}

private:
  enum class phase : uint8_t { starting, waiting, sending, ended };

  void start();
  void note_read(const snapshot_step& step);
  void begin_if_ready();
  void take_acks(const frame_batch& batch);
  void go_on();
  void read(size_t chunks);
  void send(const snapshot_step& step);
  void finish(std::string_view status, std::string error);
  void refuse(const store_error& error);
  void end();
  void quit_if_done();
  void on_time(time_point now) override;
  bool is_wanted();

  int64_t now_ns() const { return context_.wall_now(self_->clock().now()); }

  handle::pointer self_;
  loop_context& context_;
  jetstream_context& js_;
  const uint64_t id_;
  const std::string stream_;
  stream_config_ptr config_;
  uint64_t consumers_;
  api_request request_;
  stream_snapshot_request asked_;
  std::shared_ptr<archive_writer> archive_;  ///< the storage thread's, but for `state()`
  storage_worker_actor worker_;
  internal_client client_;
  std::string ack_subject_;

  phase phase_ = phase::starting;
  bool retired_ = false;  ///< nothing more can come from clients
  bool started_ = false;  ///< the archive knows what belongs to it
  bool reading_ = false;
  size_t chunk_size_ = 0;
  size_t window_ = 0;  ///< chunks that may be without acknowledgement
  size_t free_ = 0;    ///< of these
  uint64_t sent_ = 0;  ///< chunks with a reply subject
  int64_t start_ns_ = 0;
  time_point deadline_;  ///< for interest to appear, then for an acknowledgement
};

}  // namespace vagus

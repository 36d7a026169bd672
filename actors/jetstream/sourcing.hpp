#pragma once

#include "actors/internal_client.hpp"
#include "actors/jetstream/jetstream_context.hpp"
#include "actors/jetstream/source_status.hpp"
#include "net/timers.hpp"

#include <optional>
#include <string>
#include <vector>

namespace vagus {

/// How the copying from one origin begins.
struct sourcing_start {
  size_t source = 0;  ///< among the stream's sources; 0 for a mirror
  stream_source from;
  bool mirror = false;
  uint64_t stored = 0;   ///< the origin's last sequence that the stream has; 0: none
  std::string identity;  ///< what the origin of that called itself; empty: not known
  stream_actor owner;
  source_status_ptr status;
};

/// One mirror or source of a stream: an ordered push consumer of the origin, as any client could
/// have one, so that an origin in another domain or account is no different. What comes is handed
/// to the stream; the origin's flow control is answered when the stream has stored it. A gap,
/// silence for longer than the heartbeats allow, or an error: it begins again behind what is
/// stored. A source of an origin that was made anew under its old name begins as the configuration
/// says; a mirror, whose sequences are the origin's, goes on behind what it has.
class sourcing_state final : private timed {
public:
  using handle = sourcing_actor;
  using open_to_guests = void;
  static constexpr const char* name = "sourcing";

  sourcing_state(handle::pointer self, loop_context& context, jetstream_context& js,
                 sourcing_start start);
  ~sourcing_state();

  handle::behavior_type behavior();
  void after_run() {}

private:
  enum slot : uint32_t { answers = 0, messages = 1 };

  void begin();
  std::string consumer_request_body() const;
  void ask(std::string_view body);
  void take(const frame_batch_ptr& batch);
  void take_answer(const message_view& message);
  void take_messages(const frame_batch_ptr& batch, const frame_run& run);
  void take_status(const message_view& message);
  void note_stored(uint64_t up_to, const std::string& identity, bool stored);
  void note_behind();
  void answer_flow();
  void begin_again(std::chrono::nanoseconds after);
  void on_time(time_point now) override;
  std::string api_prefix() const;

  handle::pointer self_;
  loop_context& context_;
  jetstream_context& js_;
  sourcing_start start_;
  internal_client client_;
  std::string inbox_;
  std::string deliver_;
  std::string consumer_;  ///< the name of the one at the origin
  uint64_t epoch_ = 0;    ///< of it: what an earlier one sent does not count
  bool created_ = false;
  bool waits_ = false;  ///< to begin again
  uint64_t next_delivery_ = 1;
  uint64_t handed_over_ = 0;  ///< the last sequence of the origin that the stream was given
  uint64_t stored_ = 0;       ///< and that it has stored
  uint64_t pending_ = 0;      ///< messages of the origin behind those handed over
  std::string identity_;      ///< of the origin, if it is a source's
  bool anew_ = false;         ///< the origin is another one than before
  bool caught_up_ = false;    ///< and the stream knows it
  struct flow_request {
    std::string reply;
    uint64_t after = 0;  ///< what has to be stored before
  };
  std::optional<flow_request> flow_;
  bool ended_ = false;
};

}  // namespace vagus

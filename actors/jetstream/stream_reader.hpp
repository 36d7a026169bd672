#pragma once

#include "actors/internal_client.hpp"
#include "actors/jetstream/direct_batch.hpp"
#include "actors/jetstream/jetstream_context.hpp"
#include "actors/jetstream/requests.hpp"
#include "storage/message_store.hpp"

#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace vagus {

struct reader_start {
  std::string stream;
  std::string asked;  ///< whose direct gets it answers: the stream's, or its origin's
  std::shared_ptr<message_store> store;
  stream_actor owner;
};

/// Answers the direct gets (ADR-31) of one stream for the clients of one event loop: a request goes
/// from the client's connection to the reader on the same loop and back, past the API, past the
/// stream, and without another thread. The readers of a stream share its store, which any thread
/// may read, and a queue group of which the router takes the member of its own loop.
class stream_reader_state {
public:
  using handle = stream_reader_actor;
  static constexpr const char* name = "stream_reader";

  stream_reader_state(handle::pointer self, loop_context& context, jetstream_context& js,
                      reader_start start);
  ~stream_reader_state();

  handle::behavior_type behavior();
  void after_run() {}

private:
  void subscribe();
  void take(const frame_batch& batch);
  void answer(const message_view& message, uint32_t slot);
  void get_one(std::string_view reply, const msg_get_request& request);
  void continue_gets();
  void end();

  handle::pointer self_;
  loop_context& context_;
  jetstream_context& js_;
  const std::string stream_;
  const std::string asked_;
  std::shared_ptr<message_store> store_;  ///< null: the reader has ended
  stream_actor owner_;
  internal_client client_;
  std::deque<direct_batch> gets_;  ///< batched gets that are not finished
};

}  // namespace vagus

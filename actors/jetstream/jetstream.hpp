#pragma once

#include "actors/internal_client.hpp"
#include "actors/jetstream/jetstream_context.hpp"
#include "actors/jetstream/sources_check.hpp"
#include "actors/jetstream/stream.hpp"
#include "actors/jetstream/stream_check.hpp"
#include "actors/jetstream/stream_record.hpp"
#include "net/timers.hpp"

#include <caf/actor.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// A stream that was there when the server started.
struct recovered_stream {
  std::string name;
  stream_record_ptr record;
  std::shared_ptr<message_store> store;
};

/// What the JetStream API needs of the program around it.
struct jetstream_start {
  std::vector<std::unique_ptr<loop_context>>& contexts;
  jetstream_context& js;
  std::vector<recovered_stream> streams;
  /// Names of streams that could not be opened, and why. They stay as they are on the disk.
  std::map<std::string, std::string> offline;
  std::function<void()> ready;  ///< called once, when every stream takes messages
  std::function<void()> ended;  ///< called when everything is stored and closed
};

/// The JetStream API of one account: the catalog of its streams and the requests about them. What
/// concerns one stream only is handed to that stream, which answers the client.
///
/// Changes of one stream (create, update, delete) happen one after the other; what is asked of a
/// stream meanwhile waits.
///
/// Files: jetstream.cpp (behavior, catalog), jetstream_requests.cpp (the requests),
/// jetstream_copies.cpp (snapshot and restore).
class jetstream_state final : private timed {
public:
  using handle = jetstream_actor;
  using open_to_guests = void;
  static constexpr const char* name = "jetstream";

  jetstream_state(handle::pointer self, loop_context& context, jetstream_start start);
  ~jetstream_state();

  handle::behavior_type behavior();
  void after_run() {}

private:
  enum slot : uint32_t { long_acks = 0, long_flow = 1, requests = 2 };

  struct entry {
    stream_actor actor;
    stream_record_ptr record;
    bool busy = true;  ///< it is being made, changed or removed
    /// What happens when that has come to its end.
    std::function<void(const store_error&)> then;
    std::deque<api_request> waiting;
  };
  using catalog = std::map<std::string, entry, std::less<>>;

  // jetstream.cpp
  void start();
  void note_settled();
  void take(const frame_batch& batch);
  void subscribe();
  void forward(const message_view& message, const connection_record* client);
  entry& add(stream_start start);
  loop_context& next_loop() { return *start_.contexts[next_loop_++ % start_.contexts.size()]; }
  void finish_change(const stream_outcome& outcome);
  void note_ended(const stream_outcome& outcome);
  void end();
  void end_if_empty();
  void on_time(time_point now) override;
  entry* find(std::string_view stream);

  // jetstream_requests.cpp
  void dispatch(api_request request);
  bool wait_if_busy(const std::string& stream, std::string_view type, api_request& request);
  void dispatch_stream(std::string_view verb, const std::string& target, api_request request);
  void create_consumer(const std::string& rest, api_request request);
  void answer_account_info(const api_request& request);
  void create(const std::string& stream, const api_request& request);
  void update(const std::string& stream, const api_request& request);
  void remove(const std::string& stream, const api_request& request);
  void list(const api_request& request, bool names_only);
  void hand_over(stream_call_kind kind, std::string_view stream, const api_request& request);
  void respond(const api_request& request, std::string_view body);
  void refuse(const api_request& request, std::string_view type, const api_error& why);
  stream_lookup origin_lookup();
  bool overlaps(const stream_config& config, std::string_view except) const;
  std::string change_reply(std::string_view type, const stream_record& record, bool created) const;
  std::string list_item(const stream_record& record) const;
  std::string offline_member() const;

  // jetstream_copies.cpp
  void snapshot(const std::string& stream, const api_request& request);
  void restore(const std::string& stream, const api_request& request);
  void finish_restore(const restored_stream_ptr& restored);
  void note_restored(const restored_stream& restored, const std::optional<api_error>& error);
  void note_copied(uint64_t id);

  struct account_usage {
    uint64_t memory = 0;
    uint64_t storage = 0;
    uint64_t consumers = 0;
    reservations reserved;
  };
  account_usage usage(std::string_view without) const;

  int64_t now_ns() const { return context_.wall_now(self_->clock().now()); }

  handle::pointer self_;
  loop_context& context_;
  jetstream_start start_;
  jetstream_context& js_;
  internal_client client_;
  catalog streams_;
  std::map<uint64_t, caf::actor> copies_;  ///< streams on their way to or from clients
  uint64_t last_copy_ = 0;
  size_t waiting_ = 0;  ///< requests for streams that are busy
  size_t next_loop_ = 0;
  size_t opening_ = 0;  ///< recovered streams that do not take messages yet
  bool ready_ = false;
  bool ending_ = false;
  bool retired_ = false;  ///< nothing more can come from clients
};

}  // namespace vagus

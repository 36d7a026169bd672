#pragma once

#include "actors/interest/rcu.hpp"
#include "actors/interfaces.hpp"
#include "actors/loop_context.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace vagus {

/// How an actor inside the server subscribes to an account's subjects: with an endpoint of its own.
/// Belongs to one pinned actor, and is used on its loop only.
///
/// The actor hands on what it is sent: `applied` to note_applied, a frame_batch to take. It calls
/// withdraw before it ends, and quits after it has got `retired` for that.
class internal_client {
public:
  internal_client(loop_context& context, uint64_t id);
  internal_client(const internal_client&) = delete;
  internal_client& operator=(const internal_client&) = delete;
  ~internal_client();

  struct manner {
    bool lossless = false;      ///< publishers wait rather than let too much pile up here
    bool one_per_loop = false;  ///< as a member of a queue group it serves its own loop
  };

  /// Call before anything else.
  void start(const subscriber_actor& self, manner how);
  /// It wants to know who publishes: `frame_batch::publisher` is then a connection_record.
  void ask_for_publishers() { endpoint_->wants_publisher = true; }

  /// Asks for `subject`; the frames of what is published there come with `slot`. In force when
  /// settled() is true again.
  /// @pre `slot` is not in use; the subject is valid
  void subscribe(uint32_t slot, std::string_view subject, std::string_view queue = {});
  void unsubscribe(uint32_t slot);
  /// The same for subjects that the actor knows by itself: there may be many, they may share a
  /// slot, and it takes them all back before it withdraws.
  void subscribe_unlisted(uint32_t slot, std::string_view subject);
  void unsubscribe_unlisted(uint32_t slot, std::string_view subject);
  /// Sends what subscribe and unsubscribe have gathered.
  void send_changes();
  /// Nothing is delivered any more; the last change.
  void withdraw();
  /// The last change, too: until it is in force, messages are delivered.
  void step_back();

  void note_applied(uint64_t count) { applied_ += count; }
  bool settled() const { return applied_ == asked_; }
  /// How many changes were asked for, and how many of them are in force: they become so in order.
  uint64_t asked() const { return asked_; }
  uint64_t applied() const { return applied_; }

  /// Counts what has come in as taken over by the actor, which owes `release` for it.
  void take(const frame_batch& batch);
  /// So many of the bytes taken are dealt with.
  void release(size_t bytes);
  bool below_low_water() const;

private:
  void change(bool add, uint32_t slot, std::string_view subject, std::string_view queue);

  loop_context& context_;
  endpoint_ptr endpoint_;
  subscriber_actor self_;
  interest_changes_ptr changes_;
  struct subscribed {
    std::string subject, queue;
  };
  std::map<uint32_t, subscribed> subjects_;
  uint64_t asked_ = 0;
  uint64_t applied_ = 0;
};

/// Publishing from inside the server: lives within one handler of a pinned actor, and sends what it
/// was given when it ends. Nothing else may publish on that loop meanwhile.
class publishing {
public:
  explicit publishing(loop_context& context) : context_{context} {}
  publishing(const publishing&) = delete;
  publishing& operator=(const publishing&) = delete;
  ~publishing();

  /// Returns how many the message reaches. `header_size` bytes of `body` are headers; -1: none.
  size_t send(std::string_view subject, std::string_view reply, std::string_view body,
              int64_t header_size = -1) {
    return context_.routes.publish({subject, reply, body, header_size, nullptr}, nullptr);
  }

  /// True if somebody would get a message to `subject`.
  bool is_wanted(std::string_view subject) { return context_.routes.reaches(subject); }

private:
  loop_context& context_;
  snapshot_guard guard_;
};

}  // namespace vagus

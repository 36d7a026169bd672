#pragma once

#include <nats/nats.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The C client, libnats, in the few words that the tests are written in. Everything that must
/// succeed in every test throws when it does not; what a test may expect to fail
/// returns its `natsStatus`.
namespace vagus::clients {

/// How long a test waits for what must come. What must not come is shown by what came after it.
constexpr int64_t patience_ms = 20'000;

void must(natsStatus status);

/// Polls until the condition holds; false if it does not within the tests' patience.
bool eventually(const std::function<bool()>& condition);

template <class T, void (*destroy)(T*)>
struct destroyer {
  void operator()(T* object) const { destroy(object); }
};

using message = std::unique_ptr<natsMsg, destroyer<natsMsg, natsMsg_Destroy>>;
using options = std::unique_ptr<natsOptions, destroyer<natsOptions, natsOptions_Destroy>>;

options make_options(const std::string& url);
message make_message(const std::string& subject, std::string_view payload);
std::string payload_of(const message& m);
std::string subject_of(const message& m);
std::string header_of(const message& m, const char* key);
std::vector<std::string> headers_of(const message& m, const char* key);

class subscription {
public:
  explicit subscription(natsSubscription* raw) : raw_(raw) {}
  natsSubscription* raw() const { return raw_.get(); }

  /// The next message; throws if none comes.
  message next() const;
  std::string next_payload() const { return payload_of(next()); }
  std::vector<std::string> next_payloads(int count) const;

  /// Messages that have arrived and were not taken.
  uint64_t queued() const;

private:
  std::unique_ptr<natsSubscription, destroyer<natsSubscription, natsSubscription_Destroy>> raw_;
};

/// A connection. The callbacks of libnats that the tests wait for are counted in atomics.
class client {
public:
  explicit client(const std::string& url) : client(make_options(url)) {}
  explicit client(options with);
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  natsConnection* raw() const { return raw_.get(); }

  subscription subscribe(const std::string& subject) const;
  subscription subscribe(const std::string& subject, const std::string& queue) const;
  void publish(const std::string& subject, std::string_view payload) const;
  void publish(const message& m) const;

  /// Returns when the server has acted on everything that was sent.
  void flush() const;

  message request(const std::string& subject, std::string_view payload) const;
  natsStatus try_request(const std::string& subject, int64_t limit_ms) const;

  /// Messages that the server has sent to this connection, wanted or not.
  uint64_t received() const;

  bool is_closed() const { return natsConnection_IsClosed(raw()); }

  struct events {
    std::atomic<int> disconnected{0};
    std::atomic<int> reconnected{0};
    std::atomic<int> closed{0};
    std::atomic<int> errors{0};
    std::atomic<natsStatus> last_error{NATS_OK};
  };
  events& seen() const { return *events_; }

private:
  // Libnats calls back from its own threads until the connection is closed: goes last.
  std::unique_ptr<events> events_ = std::make_unique<events>();
  std::unique_ptr<natsConnection, destroyer<natsConnection, natsConnection_Destroy>> raw_;
};

/// A subscription whose messages are handled on a thread of libnats, one at a time. Answers
/// requests if `answer` returns a text. Its client must outlive it. Counts a message after it was
/// handled.
class handler {
public:
  using function = std::function<std::optional<std::string>(natsMsg*)>;

  handler(const client& on, const std::string& subject, function answer,
          const std::string& queue = {});
  ~handler();
  handler(const handler&) = delete;
  handler& operator=(const handler&) = delete;

  natsSubscription* raw() const { return raw_; }
  int handled() const { return handled_; }
  bool completed() const { return completed_; }

private:
  static void on_message(natsConnection* nc, natsSubscription*, natsMsg* m, void* self);

  function answer_;
  std::atomic<int> handled_{0};
  std::atomic<bool> completed_{false};
  natsSubscription* raw_ = nullptr;
};

}  // namespace vagus::clients

#pragma once

#include "actors/jetstream/jetstream.hpp"
#include "storage_fixture.hpp"
#include "world.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// A world with JetStream: its actors, and storage threads that run when the test says so. The wall
/// clock is as virtual as the actor clock. Streams in files lie in a directory that goes with it.
class jetstream_world : public world {
public:
  explicit jetstream_world(const options& opts = {}, size_t loops = 1);
  ~jetstream_world();

  /// With a stream that is there from the start, in a store that the test has made.
  jetstream_world(const std::string& stream, const std::string& subject,
                  const std::shared_ptr<message_store>& store);

  /// Ends JetStream as the server does when it stops; what is in files stays.
  void stop_jetstream();
  /// The same, and starts it again from the files.
  void restart_jetstream();
  /// The same, with a consumer that no server has made: with the state of another one.
  void restart_with_consumer(const std::string& stream, std::string_view like,
                             std::string_view name, std::string_view config);

  jetstream_context& js() { return *js_; }
  /// What the wall clock shows.
  int64_t now_ns();

private:
  void start_jetstream(std::vector<recovered_stream> streams);

  testing::scratch directory_;
  std::unique_ptr<jetstream_context> js_;
  bool ended_ = true;
};

/// A message as a client hears it.
struct heard_message {
  std::string subject;
  std::string reply;
  std::string headers;
  std::string payload;
};

/// A client of JetStream: asks, and hears the answers.
class asker {
public:
  using place = std::source_location;

  /// Subscribes to `R.>` for what it asks.
  explicit asker(jetstream_world& in, size_t loop = 0);

  /// Subscribes as `sid` (1 is taken), and ends a subscription.
  void hear(std::string_view subject, int sid, std::string_view queue = {});
  void unhear(int sid);

  /// Publishes with a reply subject and lets everything happen that follows. What came back,
  /// headers and payload in one; empty if nothing did.
  std::string ask(std::string_view subject, std::string_view payload = {},
                  std::string_view headers = {});
  /// The same without a reply subject, or at once with others (see `settle`).
  void tell(std::string_view subject, std::string_view payload = {}, std::string_view headers = {},
            std::string_view reply = {});

  /// Asks the API; the answer's JSON.
  nlohmann::json api(std::string_view request, std::string_view payload = {});
  /// Makes a stream in `storage`, over which `more` goes: members as in the API, with a comma
  /// before.
  void make(std::string_view storage, std::string_view more = {}, place at = place::current());
  /// Changes the stream that `make` has made.
  nlohmann::json change(std::string_view more);
  nlohmann::json state();
  /// Whether a message with that payload is stored as `seq`.
  bool holds(uint64_t seq, std::string_view payload);

  /// What came and was not taken yet, headers and payload of each.
  std::vector<std::string> answers();
  /// The same with everything that can be known of them.
  std::vector<heard_message> messages();

private:
  std::string config(std::string_view more) const;

  jetstream_world& world_;
  client client_;
  std::string storage_;
};

/// The header block of one header.
std::string header(std::string_view name, std::string_view value);

/// What a publisher is told.
std::string acked(uint64_t seq);
std::string duplicate_of(uint64_t seq);
/// The number of the error that an answer carries; 0: none.
int error_in(const std::string& answer);
int error_in(const nlohmann::json& answer);

}  // namespace vagus

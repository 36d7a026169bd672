#pragma once

#include "jetstream_world.hpp"

#include <map>

namespace vagus {

/// A consumer C of the stream S, with a client of it. Both are made as the test says. What the
/// client hears is told in a short form, one word for each message that came:
///
///   7        the message with stream sequence 7, for the first time
///   7#2      the same for the second time
///   <408 Request Timeout>  a status
///   subject  anything else; an answer to an acknowledgement is R.ack
class consumer_bench {
public:
  using place = std::source_location;

  explicit consumer_bench(jetstream_world& in, size_t loop = 0) : world{in}, c{in, loop} {}

  /// Makes the consumer. Durable and with explicit acknowledgements, unless `more`, members with a
  /// comma before, says otherwise.
  nlohmann::json make(std::string_view more = {}, place at = place::current());
  nlohmann::json update(std::string_view more);
  nlohmann::json info(std::string_view consumer = "C");
  /// Asks the API, whatever else comes meanwhile.
  nlohmann::json api(std::string_view request, std::string_view payload = {});
  bool exists() { return error_in(info()) == 0; }

  /// Publishes so many messages.
  void publish(size_t count, std::string_view subject = "s.a");

  /// Sends a pull request and lets happen what follows; nothing is taken of what came.
  void next(std::string_view body = "1", std::string_view reply = "R.m");
  /// The same, and what has come since something was last taken.
  std::string pulls(std::string_view body = "1");
  /// What has come since something was last taken.
  std::string heard();
  /// The same after some time.
  std::string heard_after(std::chrono::nanoseconds time);
  /// Lets time go on; what comes is kept.
  void wait(std::chrono::nanoseconds time);

  /// Answers to the last delivery of a message that was taken, or to the one that is named.
  void answer(uint64_t seq, std::string_view with = "+ACK", std::string_view reply = {});
  void answer_delivery(uint64_t seq, uint64_t consumer_seq, uint64_t deliveries,
                       std::string_view with = "+ACK", std::string_view reply = {});
  /// Answers and waits for the answer to that: whether there was one.
  bool confirmed(uint64_t seq, std::string_view with = "+ACK");

  /// The last message that was taken, of those with that word.
  const heard_message& last(std::string_view word) const { return last_.at(std::string{word}); }
  /// What was left to come, as the last delivery that was taken has told.
  uint64_t told_pending() const { return told_pending_; }

  jetstream_world& world;
  asker c;

private:
  std::string config(std::string_view more) const;
  std::string word_of(const heard_message& m);
  void collect();

  std::string words_;
  std::string api_answer_;
  std::map<uint64_t, std::string> ack_subjects_;
  std::map<std::string, heard_message> last_;
  uint64_t told_pending_ = 0;
};

/// Members of a configuration.
std::string member(std::string_view name, std::chrono::nanoseconds value);

/// A store whose disk the test fills and frees again.
class fragile_store : public message_store {
public:
  applied append(std::string_view batch) override;
  store_result<std::unique_ptr<store_snapshot>> read() override { return store_.read(); }
  store_error stopped() const override { return stopped_; }
  store_error sync() override { return {}; }
  store_error retry() override;

  /// For a world: the stream waits at its end for whoever still has its store, and that is not the
  /// test. This object must outlive the world.
  std::shared_ptr<message_store> lent() {
    return {static_cast<message_store*>(this), [](auto*) {}};
  }

  void fail(store_errc code) { failing_ = {code, 0, "the test says so"}; }
  void mend() { failing_ = {}; }
  /// Another row in place of what a consumer has stored.
  void overwrite(std::string_view name, std::string_view row) {
    batch_builder batch{0};
    batch.add(consumer_put_proposal{name, row});
    store_.append(batch.bytes());
  }
  int retries = 0;
  int appends = 0;  ///< also of those that fail

private:
  memory_store store_{"S"};
  store_error failing_;
  store_error stopped_;
};

}  // namespace vagus

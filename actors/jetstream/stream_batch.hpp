#pragma once

#include "actors/jetstream/api_error.hpp"
#include "storage/batch.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// What a stream commits at once: proposals, and who is to be told what of them. Filled by the
/// stream, then handed to a storage thread that sets `result`, then read by the stream.
class stream_batch : public boost::intrusive_ref_counter<stream_batch> {
public:
  explicit stream_batch(int64_t time_ns) : proposals{time_ns} {}

  batch_builder proposals;
  applied result;
  size_t taken = 0;  ///< bytes of deliveries that end with this batch

  /// A publisher waits for the outcome of the proposal that is added next.
  void expect_ack(std::string_view reply) { note(reply, proposals.size(), no_error); }

  /// The same, and `why` is what it is told if the outcome is `refused`.
  void expect_ack(std::string_view reply, api_error why) {
    errors_.push_back(std::move(why));
    note(reply, proposals.size(), static_cast<uint32_t>(errors_.size() - 1));
  }

  /// A publisher is told of an error, in its turn.
  void refuse(std::string_view reply, api_error why) {
    errors_.push_back(std::move(why));
    note(reply, no_outcome, static_cast<uint32_t>(errors_.size() - 1));
  }

  using continuation = std::function<void(const outcome&)>;
  /// Calls `then` on the stream's loop with the outcome of the proposal that is added next; its
  /// error is `stopped` if the batch as a whole has failed.
  void expect(continuation then) { calls_.push_back({proposals.size(), std::move(then)}); }

  bool empty() const { return proposals.size() == 0 && answers_.empty() && calls_.empty(); }
  size_t size() const { return proposals.bytes().size(); }

  /// Calls `visit(reply, outcome index or no_outcome, error or null)` in the order of arrival. With
  /// an index the error is the one for `refused`.
  template <class F>
  void for_each_answer(F&& visit) const {
    for (const auto& a : answers_)
      visit(std::string_view{replies_}.substr(a.at, a.size), a.outcome,
            a.error == no_error ? nullptr : &errors_[a.error]);
  }

  struct call {
    uint32_t outcome;
    continuation then;
  };
  const std::vector<call>& calls() const { return calls_; }

  static constexpr uint32_t no_outcome = ~uint32_t{0};

private:
  static constexpr uint32_t no_error = ~uint32_t{0};

  struct answer {
    size_t at;
    uint32_t size;
    uint32_t outcome;
    uint32_t error;
  };

  void note(std::string_view reply, uint32_t outcome, uint32_t error) {
    answers_.push_back({replies_.size(), static_cast<uint32_t>(reply.size()), outcome, error});
    replies_.append(reply);
  }

  std::string replies_;
  std::vector<answer> answers_;
  std::vector<api_error> errors_;
  std::vector<call> calls_;
};

using stream_batch_ptr = boost::intrusive_ptr<stream_batch>;

}  // namespace vagus

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(vagus::stream_batch_ptr)

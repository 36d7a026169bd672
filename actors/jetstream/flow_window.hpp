#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

namespace vagus {

/// How many bytes a push consumer with flow control may have on their way to its client (ADR-9): it
/// asks the client for an answer when half of the window is sent, and stops when the whole of it
/// is. Each answer makes the window larger.
class flow_window {
public:
  /// nats-server's: 32 MiB at most, and a sixteenth of that at first.
  static constexpr size_t largest = size_t{32} << 20;
  static constexpr size_t first = largest / 16;

  void note_sent(size_t bytes) { sent_ += bytes; }
  bool full() const { return sent_ >= size_; }
  bool wants_answer() const { return asked_.empty() && sent_ > size_ / 2; }

  /// A request for an answer went out, to be answered to `subject`.
  void ask(std::string subject) {
    asked_ = std::move(subject);
    asked_at_ = sent_;
  }
  /// What the client is to answer to; empty: nothing is asked.
  const std::string& asked() const { return asked_; }

  /// The client has got all that was sent before it was asked.
  void note_answer() {
    if (asked_.empty()) return;
    sent_ -= std::min(sent_, asked_at_);
    size_ = std::min(size_ * 2, largest);
    asked_.clear();
  }
  void reset() { *this = {}; }

private:
  size_t size_ = first;
  size_t sent_ = 0;
  size_t asked_at_ = 0;
  std::string asked_;
};

}  // namespace vagus

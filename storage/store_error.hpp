#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace vagus {

/// Everything that a store can answer besides success.
enum class store_errc : uint8_t {
  none,
  // Answers to one proposal: the others of its batch are not affected.
  wrong_last_sequence,      ///< an expectation; the outcome's `seq` is the real one
  wrong_last_msg_id,        ///< an expectation; the outcome's `text` is the real one
  message_too_large,        ///< larger than `max_msg_size`
  max_msgs_reached,         ///< `max_msgs` with discard new
  max_bytes_reached,        ///< `max_bytes` with discard new
  max_per_subject_reached,  ///< `max_msgs_per_subject` with `discard_new_per_subject`
  refused,                  ///< the proposal said so itself
  no_message,               ///< no message has this sequence or subject
  // Answers to a whole batch or call: nothing was written.
  malformed_batch,   ///< the batch's bytes do not follow the format
  no_space,          ///< the disk or the largest allowed map is full; writes stop until `retry`
  io_error,          ///< the operating system refused; writes stop until `retry`
  corrupt,           ///< a checksum does not fit; writes stop until `retry`
  not_a_store,       ///< the directory holds something else, or a newer format
  unclean,           ///< it has to be opened for writing once before it can be read
  too_many_readers,  ///< all reader slots are taken; ask again
  busy_readers,      ///< the map must grow, and a reader did not end in time; ask again
  stopped,           ///< writes have stopped because of an earlier error
};

/// A short text, in lower case, without a full stop.
const char* to_text(store_errc code);

struct store_error {
  store_errc code = store_errc::none;
  uint64_t seq = 0;  ///< the message concerned, if one is
  std::string text;  ///< what failed, for a log line

  explicit operator bool() const { return code != store_errc::none; }
};

/// A value or the error that stands in its place.
template <class T>
class store_result {
public:
  store_result(const T& value) : content_{std::in_place_index<0>, value} {}
  store_result(T&& value) : content_{std::in_place_index<0>, std::move(value)} {}
  store_result(store_error error) : content_{std::move(error)} {}

  explicit operator bool() const { return content_.index() == 0; }
  T& operator*() { return std::get<0>(content_); }
  const T& operator*() const { return std::get<0>(content_); }
  T* operator->() { return &std::get<0>(content_); }
  const T* operator->() const { return &std::get<0>(content_); }
  const store_error& error() const { return std::get<1>(content_); }

private:
  std::variant<T, store_error> content_;
};

/// Thrown and caught inside storage/ only: every public function answers with a `store_error`.
struct store_failure {
  store_error error;
};

}  // namespace vagus

#pragma once

#include "storage/store_types.hpp"

#include <memory>
#include <optional>

namespace vagus {

// Compression: headers and payload of a message as one snappy block (storage/README.md).

/// Owns a block; empty: there is none.
class packed_body {
public:
  packed_body() = default;
  packed_body(std::unique_ptr<char[]> bytes, size_t size) : bytes_{std::move(bytes)}, size_{size} {}

  std::string_view bytes() const { return {bytes_.get(), size_}; }
  bool empty() const { return size_ == 0; }

private:
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
};

/// None if the message is small, or too little would be gained.
packed_body pack_body(std::string_view headers, std::string_view payload);

/// What a block says that it holds. Nothing: it is none, or says more than a block of its size can
/// hold, so that memory can be had for whatever is answered.
std::optional<size_t> unpacked_size(std::string_view block);

inline stored_message with_body(const stored_head& head, std::string_view body) {
  return {head.seq,
          head.time_ns,
          head.expires_ns,
          head.subject,
          body.substr(0, head.headers_size),
          body.substr(head.headers_size)};
}

/// Opens messages, one at a time: has memory for the largest of them.
class body_opener {
public:
  /// Nothing: the block is damaged. What is not packed costs nothing and is valid as long as the
  /// head; what is, until the next call.
  std::optional<stored_message> open(const stored_head& head) {
    return head.packed ? unpack(head) : with_body(head, head.body);
  }

private:
  std::optional<stored_message> unpack(const stored_head& head);

  std::unique_ptr<char[]> body_;
  size_t room_ = 0;
};

}  // namespace vagus

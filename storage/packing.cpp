#include "storage/packing.hpp"

#include <cstring>
#include <snappy.h>

namespace vagus {

namespace {

/// Smaller ones hardly get smaller.
constexpr size_t smallest_packed = 128;
/// What is gained is to be worth the reading: at least this part of the whole.
constexpr size_t least_gain = 8;
/// A block is at most that many times smaller than what it holds: three bytes stand for 64.
constexpr size_t most_times = 22;
constexpr size_t largest_packed = size_t{1} << 31;

}  // namespace

packed_body pack_body(std::string_view headers, std::string_view payload) {
  auto size = headers.size() + payload.size();
  if (size < smallest_packed || size > largest_packed) return {};
  std::unique_ptr<char[]> joined;
  auto whole = headers.empty() ? payload : std::string_view{headers.data(), size};
  if (!headers.empty() && !payload.empty() && headers.data() + headers.size() != payload.data()) {
    joined = std::make_unique_for_overwrite<char[]>(size);
    std::memcpy(joined.get(), headers.data(), headers.size());
    std::memcpy(joined.get() + headers.size(), payload.data(), payload.size());
    whole = {joined.get(), size};
  }
  auto block = std::make_unique_for_overwrite<char[]>(snappy::MaxCompressedLength(size));
  size_t length = 0;
  snappy::RawCompress(whole.data(), whole.size(), block.get(), &length);
  if (length > size - size / least_gain) return {};
  return {std::move(block), length};
}

std::optional<size_t> unpacked_size(std::string_view block) {
  size_t size = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &size)) return std::nullopt;
  if (size > most_times * block.size()) return std::nullopt;
  return size;
}

std::optional<stored_message> body_opener::unpack(const stored_head& head) {
  auto size = unpacked_size(head.body);
  if (size != head.headers_size + head.payload_size) return std::nullopt;
  if (*size > room_) {
    room_ = 0;
    body_ = std::make_unique_for_overwrite<char[]>(*size);
    room_ = *size;
  }
  if (!snappy::RawUncompress(head.body.data(), head.body.size(), body_.get())) return std::nullopt;
  return with_body(head, {body_.get(), *size});
}

}  // namespace vagus

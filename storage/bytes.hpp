#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace vagus {

static_assert(std::endian::native == std::endian::little, "the on-disk format is little-endian");

template <class T>
T load_le(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <class T>
void append_le(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Big-endian, where the order of keys is the order of numbers.
inline void append_be64(std::string& out, uint64_t value) {
  append_le(out, __builtin_bswap64(value));
}
inline uint64_t load_be64(const char* at) {
  return __builtin_bswap64(load_le<uint64_t>(at));
}

/// Seven bits a byte, the lowest first.
inline void append_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

/// Reads fields from front to back; once something is missing, `ok()` is false and all is zero.
class byte_reader {
public:
  explicit byte_reader(std::string_view bytes) : rest_{bytes} {}

  template <class T>
  T le() {
    auto bytes = take(sizeof(T));
    return ok_ ? load_le<T>(bytes.data()) : T{};
  }

  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }

  std::string_view take(size_t count) {
    if (!ok_ || count > rest_.size()) {
      ok_ = false;
      return {};
    }
    auto bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }

  /// A `uint32_t` length and as many bytes.
  std::string_view text() { return take(le<uint32_t>()); }

  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }

private:
  std::string_view rest_;
  bool ok_ = true;
};

inline void append_text(std::string& out, std::string_view text) {
  append_le(out, static_cast<uint32_t>(text.size()));
  out.append(text);
}

}  // namespace vagus

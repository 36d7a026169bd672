#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vagus {

/// A Bloom filter over 64-bit hashes whose bits for one hash share a cache line: `may_have` is
/// false for most of what was never added, and never for what was. Twelve bits for each of
/// `capacity`.
class id_filter {
public:
  explicit id_filter(size_t capacity = 0)
      : bits_((capacity * 12 + line_bits - 1) / line_bits * line_bytes, '\0'),
        capacity_{capacity} {}

  size_t capacity() const { return capacity_; }
  std::string_view bytes() const { return bits_; }

  void add(uint64_t hash) {
    auto* line = bits_.data() + line_of(hash, bits_.size());
    for (int i = 0; i < probes; ++i) line[bit(hash, i) / 8] |= mask(hash, i);
  }

  /// `filter`: the bytes of one, wherever they are.
  static bool may_have(std::string_view filter, uint64_t hash) {
    if (filter.size() < line_bytes) return false;
    auto* line = filter.data() + line_of(hash, filter.size());
    for (int i = 0; i < probes; ++i)
      if (!(line[bit(hash, i) / 8] & mask(hash, i))) return false;
    return true;
  }

  static void prefetch(std::string_view filter, uint64_t hash) {
    if (filter.size() >= line_bytes)
      __builtin_prefetch(filter.data() + line_of(hash, filter.size()));
  }

private:
  static constexpr size_t line_bytes = 64;
  static constexpr size_t line_bits = 8 * line_bytes;
  static constexpr int probes = 6;

  static size_t line_of(uint64_t hash, size_t size) {
    auto lines = static_cast<unsigned __int128>(size / line_bytes);
    return static_cast<size_t>((lines * hash) >> 64) * line_bytes;
  }
  static size_t bit(uint64_t hash, int i) {
    return (hash * 0x9E3779B97F4A7C15ull >> (9 * i)) & (line_bits - 1);
  }
  static char mask(uint64_t hash, int i) { return static_cast<char>(1 << (bit(hash, i) % 8)); }

  std::string bits_;
  size_t capacity_;
};

}  // namespace vagus

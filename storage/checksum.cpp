#include "storage/checksum.hpp"

#include "storage/bytes.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace vagus {

uint64_t checksum(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

void seal(std::string& bytes, uint64_t seed) {
  append_le(bytes, checksum(bytes, seed));
}

std::optional<std::string_view> unseal(std::string_view sealed, uint64_t seed) {
  if (sealed.size() < 8) return std::nullopt;
  auto bytes = sealed.substr(0, sealed.size() - 8);
  if (load_le<uint64_t>(sealed.data() + bytes.size()) != checksum(bytes, seed)) return std::nullopt;
  return bytes;
}

}  // namespace vagus

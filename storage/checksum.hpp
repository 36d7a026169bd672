#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vagus {

/// XXH3 with 64 bits. `seed` ties bytes to where they belong: a record under a wrong key fails.
uint64_t checksum(std::string_view bytes, uint64_t seed = 0);

/// Appends the checksum of all that is in `bytes`.
void seal(std::string& bytes, uint64_t seed = 0);

/// The bytes without their checksum, or nothing if it does not fit them.
std::optional<std::string_view> unseal(std::string_view sealed, uint64_t seed = 0);

}  // namespace vagus

#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace vagus {

/// The public key of a new random Ed25519 key pair in nkey form: 56 characters of base32 that start
/// with `N`, as servers name themselves. Throws std::runtime_error if the system has no randomness.
std::string make_server_id();

/// Encodes a public key with nkey prefix byte and CRC-16 (XMODEM).
std::string encode_nkey(uint8_t prefix, const std::array<uint8_t, 32>& key);

}  // namespace vagus

#include "net/nkey.hpp"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace vagus {

namespace {

constexpr uint8_t server_prefix = 13 << 3;  // base32 'N'

uint16_t crc16(const std::vector<uint8_t>& bytes) {
  uint16_t crc = 0;
  for (uint8_t b : bytes) {
    crc = static_cast<uint16_t>(crc ^ (b << 8));
    for (int i = 0; i < 8; ++i)
      crc = static_cast<uint16_t>(crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1);
  }
  return crc;
}

std::string base32(const std::vector<uint8_t>& bytes) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string text;
  uint32_t pending = 0;
  int bits = 0;
  for (uint8_t b : bytes) {
    pending = (pending << 8) | b;
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(pending >> (bits - 5)) & 31];
  }
  if (bits > 0) text += alphabet[(pending << (5 - bits)) & 31];
  return text;
}

}  // namespace

std::string encode_nkey(uint8_t prefix, const std::array<uint8_t, 32>& key) {
  std::vector<uint8_t> bytes{prefix};
  bytes.insert(bytes.end(), key.begin(), key.end());
  auto crc = crc16(bytes);
  bytes.push_back(static_cast<uint8_t>(crc & 0xFF));
  bytes.push_back(static_cast<uint8_t>(crc >> 8));
  return base32(bytes);
}

std::string make_server_id() {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair{
      EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free};
  std::array<uint8_t, 32> key{};
  size_t size = key.size();
  if (!pair || EVP_PKEY_get_raw_public_key(pair.get(), key.data(), &size) != 1)
    throw std::runtime_error{"cannot generate the server's id: no Ed25519 key pair"};
  return encode_nkey(server_prefix, key);
}

}  // namespace vagus

#include "net/auth.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <array>
#include <crypt.h>
#include <memory>

namespace vagus {

namespace {

/// Compares digests, so that not even the length of a secret shows in the time taken.
bool same(std::string_view a, std::string_view b) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> left;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> right;
  SHA256(reinterpret_cast<const unsigned char*>(a.data()), a.size(), left.data());
  SHA256(reinterpret_cast<const unsigned char*>(b.data()), b.size(), right.data());
  return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace

bool is_bcrypt(std::string_view c) {
  auto digit = [](char d) { return d >= '0' && d <= '9'; };
  return c.size() > 7 && c.substr(0, 2) == "$2" &&
         (c[2] == 'a' || c[2] == 'b' || c[2] == 'x' || c[2] == 'y') && c[3] == '$' && digit(c[4]) &&
         digit(c[5]) && c[6] == '$';
}

bool check_secret(const std::string& configured, const std::string& given) {
  if (!is_bcrypt(configured)) return same(configured, given);
  // crypt_r would take "password\0anything" for "password".
  if (given.find('\0') != std::string::npos) return false;
  auto scratch = std::make_unique<crypt_data>();
  const char* hashed = crypt_r(given.c_str(), configured.c_str(), scratch.get());
  return hashed != nullptr && same(configured, hashed);
}

}  // namespace vagus

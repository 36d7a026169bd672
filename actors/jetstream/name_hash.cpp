#include "actors/jetstream/name_hash.hpp"

#include <openssl/evp.h>

#include <array>

namespace vagus {

std::string name_hash(std::string_view name) {
  constexpr std::string_view digits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr size_t hash_size = 8;
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned int size = 0;
  bool done = EVP_Digest(name.data(), name.size(), sum.data(), &size, EVP_sha256(), nullptr) == 1;
  std::string hash;
  for (size_t i = 0; done && i < hash_size; ++i) hash.push_back(digits[sum[i] % digits.size()]);
  return hash;
}

}  // namespace vagus

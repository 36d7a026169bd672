#include "net/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace vagus {

std::string base64(std::string_view bytes) {
  // OpenSSL counts in int: in slices that are a multiple of three bytes.
  constexpr size_t slice = size_t{3} << 20;
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += slice) {
    auto part = bytes.substr(at, slice);
    auto size = text.size();
    text.resize(size + (part.size() + 2) / 3 * 4 + 1);  // and a zero byte
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data() + size),
                    reinterpret_cast<const unsigned char*>(part.data()),
                    static_cast<int>(part.size()));
    text.pop_back();
  }
  return text;
}

}  // namespace vagus

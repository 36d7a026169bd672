#include "net/nuid.hpp"

#include <random>
#include <string_view>

namespace vagus {

std::string make_nuid() {
  constexpr std::string_view digits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  thread_local std::mt19937_64 random = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device()};
    return std::mt19937_64{seed};
  }();
  std::uniform_int_distribution<size_t> pick{0, digits.size() - 1};
  std::string id(22, '0');
  for (auto& c : id) c = digits[pick(random)];
  return id;
}

}  // namespace vagus

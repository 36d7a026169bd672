#pragma once

#include <boost/unordered/unordered_flat_set.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace vagus {

/// One subscription of a connection. Its three texts share one allocation.
struct subscription {
  std::unique_ptr<char[]> texts;
  uint32_t subject_size = 0;
  uint16_t queue_size = 0;
  uint16_t sid_size = 0;
  uint32_t generation = 0;  ///< of the slot: odd while it is in use
  uint64_t delivered = 0;
  uint64_t max = 0;      ///< deliveries after which it ends; 0: no limit
  bool leaving = false;  ///< unsubscribed; still takes what was routed to it before

  bool live() const { return (generation & 1) != 0; }
  std::string_view subject() const { return {texts.get(), subject_size}; }
  std::string_view queue() const { return {texts.get() + subject_size, queue_size}; }
  std::string_view sid() const { return {texts.get() + subject_size + queue_size, sid_size}; }
};

/// The subscriptions of one connection, by sid and by slot. Slots are used again, with another
/// generation, so that deliveries on their way to a subscription that is gone can be told.
class subscription_table {
public:
  subscription_table();
  subscription_table(const subscription_table&) = delete;
  subscription_table& operator=(const subscription_table&) = delete;

  static constexpr uint32_t none = ~uint32_t{0};

  /// The slot with that sid, or none.
  uint32_t find(std::string_view sid) const;

  /// @pre find(sid) == none; texts shorter than 64 KiB
  uint32_t add(std::string_view subject, std::string_view queue, std::string_view sid);

  /// The sid is free again; the subscription stays in its slot until release().
  void leave(uint32_t slot);
  void release(uint32_t slot);

  /// The subscription in `slot` if it is still that generation, else null.
  subscription* at(uint32_t slot, uint32_t generation) {
    if (slot >= slots_.size() || slots_[slot].generation != generation) return nullptr;
    return &slots_[slot];
  }
  subscription& operator[](uint32_t slot) { return slots_[slot]; }

  size_t size() const { return by_sid_.size(); }

  /// Those that are not leaving.
  template <class F>
  void for_each(F&& visit) {
    for (uint32_t slot = 0; slot < slots_.size(); ++slot)
      if (slots_[slot].live() && !slots_[slot].leaving) visit(slot, slots_[slot]);
  }

private:
  struct hash {
    using is_transparent = void;
    const subscription_table* table;
    size_t operator()(std::string_view sid) const;
    size_t operator()(uint32_t slot) const { return (*this)(table->slots_[slot].sid()); }
  };
  struct equal {
    using is_transparent = void;
    const subscription_table* table;
    bool operator()(uint32_t a, uint32_t b) const { return a == b; }
    bool operator()(std::string_view sid, uint32_t slot) const {
      return table->slots_[slot].sid() == sid;
    }
    bool operator()(uint32_t slot, std::string_view sid) const { return (*this)(sid, slot); }
  };

  std::vector<subscription> slots_;
  std::vector<uint32_t> free_;
  boost::unordered_flat_set<uint32_t, hash, equal> by_sid_;
};

}  // namespace vagus

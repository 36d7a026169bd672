#pragma once

#include "actors/endpoint.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

namespace vagus {

/// One subscription as publishers see it.
struct subscriber {
  std::atomic<endpoint*> destination{nullptr};  ///< null once it is removed
  uint32_t slot = 0;                            ///< its place in the destination's own table
  uint32_t generation = 0;                      ///< of that place

  std::string_view sid() const;

  /// Slots from here on belong to one who is there in place of another: of a list with a subscriber
  /// whose slot is from `relieving` on, below this, it gets nothing.
  static constexpr uint32_t standing_in = uint32_t{1} << 31;
  static constexpr uint32_t relieving = uint32_t{1} << 30;
  bool stands_in() const { return slot >= standing_in; }
  bool relieves() const { return slot >= relieving && slot < standing_in; }

  /// Sids are opaque; short ones (all that clients use) are kept in place.
  static constexpr size_t inline_sid = 15;
  std::array<char, inline_sid> text{};
  uint8_t text_size = 0;  ///< inline_sid + 1: `text` holds a pointer to a longer one
};

/// A list of subscribers with one writer and readers without locks. Appending and removing cost
/// O(1) amortized, whatever the length; readers may meet removed entries and skip them.
class subscriber_list {
public:
  subscriber_list() = default;
  ~subscriber_list();
  subscriber_list(const subscriber_list&) = delete;
  subscriber_list& operator=(const subscriber_list&) = delete;

  /// Writer only.
  void add(endpoint* destination, uint32_t slot, uint32_t generation, std::string_view sid);

  /// Writer only. False if there is no such entry.
  bool remove(const endpoint* destination, uint32_t slot);

  /// Writer only: entries that are not removed.
  uint32_t live() const;

  /// Readers: the entries, removed ones included.
  struct view {
    const subscriber* at = nullptr;
    uint32_t count = 0;
  };
  view read() const;

private:
  struct block;
  struct index;

  block* grow(block* old);
  uint32_t position(block& in, const endpoint* destination, uint32_t slot) const;

  std::atomic<block*> block_{nullptr};
};

}  // namespace vagus

#include "actors/interest/subscriber_list.hpp"

#include "actors/interest/rcu.hpp"
#include "net/subject.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstring>
#include <functional>

namespace vagus {

namespace {

struct member {
  const endpoint* destination;
  uint32_t slot;
  bool operator==(const member&) const = default;
};

struct member_hash {
  size_t operator()(const member& m) const {
    return hash_bytes({reinterpret_cast<const char*>(&m.destination), sizeof m.destination},
                      m.slot);
  }
};

/// From this length on, the writer keeps an index instead of searching.
constexpr uint32_t indexed_from = 64;

char* long_sid(const subscriber& s) {
  char* at;
  std::memcpy(&at, s.text.data(), sizeof at);
  return at;
}

void store_sid(subscriber& s, std::string_view sid) {
  if (sid.size() <= subscriber::inline_sid) {
    std::memcpy(s.text.data(), sid.data(), sid.size());
    s.text_size = static_cast<uint8_t>(sid.size());
    return;
  }
  auto* copy = new char[sizeof(uint32_t) + sid.size()];
  auto size = static_cast<uint32_t>(sid.size());
  std::memcpy(copy, &size, sizeof size);
  std::memcpy(copy + sizeof size, sid.data(), sid.size());
  std::memcpy(s.text.data(), &copy, sizeof copy);
  s.text_size = subscriber::inline_sid + 1;
}

}  // namespace

std::string_view subscriber::sid() const {
  if (text_size <= inline_sid) return {text.data(), text_size};
  const char* at = long_sid(*this);
  uint32_t size;
  std::memcpy(&size, at, sizeof size);
  return {at + sizeof size, size};
}

struct subscriber_list::index {
  boost::unordered_flat_map<member, uint32_t, member_hash> positions;
};

struct subscriber_list::block {
  explicit block(uint32_t size) : capacity{size}, entries{new subscriber[size]} {}

  ~block() {
    for (uint32_t i = 0; i < owned; ++i)
      if (entries[i].text_size > subscriber::inline_sid) delete[] long_sid(entries[i]);
  }

  std::atomic<uint32_t> count{0};
  uint32_t capacity;
  uint32_t live = 0;
  uint32_t owned = 0;  ///< entries whose long sids this block frees
  std::unique_ptr<subscriber[]> entries;
  std::unique_ptr<index> positions;
};

subscriber_list::~subscriber_list() {
  delete block_.load(std::memory_order_relaxed);
}

uint32_t subscriber_list::live() const {
  auto* b = block_.load(std::memory_order_relaxed);
  return b == nullptr ? 0 : b->live;
}

subscriber_list::view subscriber_list::read() const {
  auto* b = block_.load(std::memory_order_acquire);
  if (b == nullptr) return {};
  return {b->entries.get(), b->count.load(std::memory_order_acquire)};
}

subscriber_list::block* subscriber_list::grow(block* old) {
  uint32_t live = old == nullptr ? 0 : old->live;
  auto* larger = new block{live < 2 ? live + 1 : live * 2};
  uint32_t n = 0;
  for (uint32_t i = 0; old != nullptr && i < old->count.load(std::memory_order_relaxed); ++i) {
    const auto& from = old->entries[i];
    auto* destination = from.destination.load(std::memory_order_relaxed);
    if (destination == nullptr) continue;
    auto& to = larger->entries[n++];
    to.slot = from.slot;
    to.generation = from.generation;
    store_sid(to, from.sid());
    to.destination.store(destination, std::memory_order_relaxed);
  }
  larger->live = larger->owned = n;
  larger->count.store(n, std::memory_order_relaxed);
  if (n >= indexed_from) {
    larger->positions = std::make_unique<index>();
    for (uint32_t i = 0; i < n; ++i) {
      const auto& e = larger->entries[i];
      larger->positions->positions[{e.destination.load(std::memory_order_relaxed), e.slot}] = i;
    }
  }
  block_.store(larger, std::memory_order_release);
  if (old != nullptr) retire([old] { delete old; });
  return larger;
}

void subscriber_list::add(endpoint* destination, uint32_t slot, uint32_t generation,
                          std::string_view sid) {
  auto* b = block_.load(std::memory_order_relaxed);
  if (b == nullptr || b->count.load(std::memory_order_relaxed) == b->capacity) b = grow(b);
  uint32_t at = b->count.load(std::memory_order_relaxed);
  auto& e = b->entries[at];
  e.slot = slot;
  e.generation = generation;
  store_sid(e, sid);
  e.destination.store(destination, std::memory_order_relaxed);
  b->owned = at + 1;
  b->live += 1;
  if (b->positions) b->positions->positions[{destination, slot}] = at;
  b->count.store(at + 1, std::memory_order_release);
}

uint32_t subscriber_list::position(block& in, const endpoint* destination, uint32_t slot) const {
  uint32_t count = in.count.load(std::memory_order_relaxed);
  if (in.positions) {
    auto it = in.positions->positions.find({destination, slot});
    return it == in.positions->positions.end() ? count : it->second;
  }
  for (uint32_t i = 0; i < count; ++i) {
    const auto& e = in.entries[i];
    if (e.slot == slot && e.destination.load(std::memory_order_relaxed) == destination) return i;
  }
  return count;
}

bool subscriber_list::remove(const endpoint* destination, uint32_t slot) {
  auto* b = block_.load(std::memory_order_relaxed);
  if (b == nullptr) return false;
  uint32_t count = b->count.load(std::memory_order_relaxed);
  uint32_t at = position(*b, destination, slot);
  if (at == count) return false;
  b->entries[at].destination.store(nullptr, std::memory_order_release);
  b->live -= 1;
  if (b->positions) b->positions->positions.erase({destination, slot});
  if (count > 8 && b->live * 2 < count) grow(b);
  return true;
}

}  // namespace vagus

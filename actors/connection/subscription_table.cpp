#include "actors/connection/subscription_table.hpp"

#include "net/subject.hpp"

#include <algorithm>

namespace vagus {

size_t subscription_table::hash::operator()(std::string_view sid) const {
  return hash_bytes(sid);
}

subscription_table::subscription_table() : by_sid_{0, hash{this}, equal{this}} {}

uint32_t subscription_table::find(std::string_view sid) const {
  auto it = by_sid_.find(sid);
  return it == by_sid_.end() ? none : *it;
}

uint32_t subscription_table::add(std::string_view subject, std::string_view queue,
                                 std::string_view sid) {
  uint32_t slot;
  if (free_.empty()) {
    slot = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  auto& s = slots_[slot];
  s.texts.reset(new char[subject.size() + queue.size() + sid.size()]);
  auto* at = s.texts.get();
  for (auto text : {subject, queue, sid}) at = std::copy(text.begin(), text.end(), at);
  s.subject_size = static_cast<uint32_t>(subject.size());
  s.queue_size = static_cast<uint16_t>(queue.size());
  s.sid_size = static_cast<uint16_t>(sid.size());
  s.generation += 1;
  s.delivered = 0;
  s.max = 0;
  by_sid_.insert(slot);
  return slot;
}

void subscription_table::leave(uint32_t slot) {
  auto& s = slots_[slot];
  by_sid_.erase(by_sid_.find(s.sid()));
  s.leaving = true;
}

void subscription_table::release(uint32_t slot) {
  auto& s = slots_[slot];
  s.leaving = false;
  s.texts.reset();
  s.generation += 1;
  free_.push_back(slot);
}

}  // namespace vagus

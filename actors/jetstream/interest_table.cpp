#include "actors/jetstream/interest_table.hpp"

#include <algorithm>

namespace vagus {

void interest_table::add(const std::string& consumer, std::vector<std::string> filters,
                         const ledger_state& state) {
  auto& p = consumers_[consumer];
  p = {};
  p.filter.set_filters(std::move(filters));
  p.floor = state.ack_floor.stream;
  p.delivered = state.delivered.stream;
  state.pending.for_each([&p](const pending_ack& e) { p.pending.insert(e.stream_seq); });
}

void interest_table::set_filters(std::string_view consumer, std::vector<std::string> filters) {
  if (auto at = consumers_.find(consumer); at != consumers_.end())
    at->second.filter.set_filters(std::move(filters));
}

void interest_table::remove(std::string_view consumer) {
  if (auto at = consumers_.find(consumer); at != consumers_.end()) consumers_.erase(at);
}

bool interest_table::wanted(std::string_view subject) const {
  return std::any_of(consumers_.begin(), consumers_.end(),
                     [&](const auto& c) { return c.second.filter.takes(subject); });
}

void interest_table::note_floor(std::string_view consumer, uint64_t floor) {
  auto at = consumers_.find(consumer);
  if (at == consumers_.end() || floor <= at->second.floor) return;
  auto& p = at->second;
  p.floor = floor;
  p.done.erase(p.done.begin(), p.done.upper_bound(floor));
  p.pending.erase(p.pending.begin(), p.pending.upper_bound(floor));
}

void interest_table::note_done(std::string_view consumer, uint64_t seq) {
  auto at = consumers_.find(consumer);
  if (at != consumers_.end() && seq > at->second.floor) at->second.done.insert(seq);
}

bool interest_table::needs(const part& p, uint64_t seq, std::string_view subject) {
  if (seq <= p.floor || p.done.contains(seq)) return false;
  if (seq <= p.delivered && !p.pending.contains(seq)) return false;
  return p.filter.takes(subject);
}

bool interest_table::needed(uint64_t seq, std::string_view subject) const {
  return std::any_of(consumers_.begin(), consumers_.end(),
                     [&](const auto& c) { return needs(c.second, seq, subject); });
}

void interest_table::forget(uint64_t seq) {
  for (auto& [name, p] : consumers_) p.done.erase(seq);
}

uint64_t interest_table::floor_of(std::string_view consumer) const {
  auto at = consumers_.find(consumer);
  return at == consumers_.end() ? 0 : at->second.floor;
}

}  // namespace vagus

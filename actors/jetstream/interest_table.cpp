#include "actors/jetstream/interest_table.hpp"

#include "net/subject.hpp"
#include "storage/tables.hpp"

#include <algorithm>

namespace vagus {

namespace {

template <class Counts>
void count(Counts& counts, const std::string& filter, int by) {
  auto at = counts.try_emplace(filter, 0).first;
  at->second += static_cast<size_t>(by);
  if (at->second == 0) counts.erase(at);
}

/// One that takes everything makes the others idle.
std::vector<std::string> simplified(std::vector<std::string> filters) {
  if (std::any_of(filters.begin(), filters.end(), [](const auto& f) { return takes_all(f); }))
    filters.clear();
  return filters;
}

}  // namespace

bool interest_table::part::takes(std::string_view subject) const {
  return filters.empty() || std::any_of(filters.begin(), filters.end(),
                                        [&](const auto& f) { return filter_matches(f, subject); });
}

bool interest_table::part::is_done(uint64_t seq) const {
  if (exhausted.contains(seq)) return false;
  if (seq <= floor) return true;
  auto behind = done.upper_bound(seq);
  return behind != done.begin() && std::prev(behind)->second >= seq;
}

void interest_table::part::add_done(uint64_t first, uint64_t last) {
  if (last <= floor) return;
  first = std::max(first, floor + 1);
  // Grows by the runs that it overlaps or touches.
  auto at = done.upper_bound(first);
  if (at != done.begin() && std::prev(at)->second + 1 >= first) --at;
  while (at != done.end() && at->first <= last + 1) {
    first = std::min(first, at->first);
    last = std::max(last, at->second);
    at = done.erase(at);
  }
  if (first == floor + 1)
    floor = last;
  else
    done.emplace_hint(at, first, last);
}

/// Only at the ends of a run: a run takes no less room with a hole in it.
void interest_table::part::forget(uint64_t seq) {
  exhausted.erase(seq);
  auto at = done.upper_bound(seq);
  if (at == done.begin()) return;
  --at;
  auto [first, last] = *at;
  if (last == seq && first < seq) {
    --at->second;
  } else if (first == seq) {
    done.erase(at);
    if (seq < last) done.emplace(seq + 1, last);
  }
}

void interest_table::part::raise_floor(uint64_t to) {
  if (to > floor) add_done(floor + 1, to);
}

interest_table::part* interest_table::find(std::string_view consumer) {
  auto at = consumers_.find(consumer);
  return at == consumers_.end() ? nullptr : &at->second;
}

void interest_table::count_filters(const part& p, int by) {
  if (p.filters.empty()) take_all_ += static_cast<size_t>(by);
  for (const auto& f : p.filters) {
    if (has_wildcard(f))
      count(patterns_, f, by);
    else
      count(literals_, f, by);
  }
}

void interest_table::add(const std::string& consumer, std::vector<std::string> filters,
                         const ledger_state& state) {
  remove(consumer);
  part p;
  p.filters = simplified(std::move(filters));
  p.floor = state.ack_floor.stream;
  for (const auto& [seq, deliveries] : state.exhausted) p.exhausted.insert(seq);
  auto next = p.floor + 1;
  state.pending.for_each([&](const pending_ack& e) {
    if (next < e.stream_seq) p.add_done(next, e.stream_seq - 1);
    next = std::max(next, e.stream_seq + 1);
  });
  if (next <= state.delivered.stream) p.add_done(next, state.delivered.stream);
  count_filters(p, 1);
  consumers_.emplace(consumer, std::move(p));
}

void interest_table::set_filters(std::string_view consumer, std::vector<std::string> filters) {
  auto* p = find(consumer);
  if (p == nullptr) return;
  count_filters(*p, -1);
  p->filters = simplified(std::move(filters));
  count_filters(*p, 1);
}

void interest_table::remove(std::string_view consumer) {
  auto at = consumers_.find(consumer);
  if (at == consumers_.end()) return;
  count_filters(at->second, -1);
  consumers_.erase(at);
}

bool interest_table::wanted(std::string_view subject) const {
  if (take_all_ > 0) return true;
  if (!literals_.empty() && literals_.contains(std::string{subject})) return true;
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const auto& f) { return filter_matches(f.first, subject); });
}

void interest_table::note_floor(std::string_view consumer, uint64_t floor) {
  if (auto* p = find(consumer)) p->raise_floor(floor);
}

void interest_table::note_done(std::string_view consumer, uint64_t seq) {
  auto* p = find(consumer);
  if (p == nullptr) return;
  p->exhausted.erase(seq);
  p->add_done(seq, seq);
}

void interest_table::note_exhausted(std::string_view consumer, uint64_t seq) {
  auto* p = find(consumer);
  if (p == nullptr) return;
  p->exhausted.insert(seq);
  if (p->exhausted.size() > max_exhausted) p->exhausted.erase(p->exhausted.begin());
}

bool interest_table::needed(uint64_t seq, std::string_view subject) const {
  return std::any_of(consumers_.begin(), consumers_.end(), [&](const auto& c) {
    return !c.second.is_done(seq) && c.second.takes(subject);
  });
}

void interest_table::forget(uint64_t seq) {
  for (auto& [name, p] : consumers_) p.forget(seq);
}

uint64_t interest_table::floor_of(std::string_view consumer) const {
  auto at = consumers_.find(consumer);
  if (at == consumers_.end()) return 0;
  const auto& p = at->second;
  return p.exhausted.empty() ? p.floor : std::min(p.floor, *p.exhausted.begin() - 1);
}

size_t interest_table::runs() const {
  size_t sum = 0;
  for (const auto& [name, p] : consumers_) sum += p.done.size();
  return sum;
}

}  // namespace vagus

#include "storage/memory_tables.hpp"

#include "storage/filter_prefix.hpp"

#include <algorithm>

namespace vagus {

uint64_t memory_tables::stored_size(size_t subject, size_t headers, size_t payload) const {
  return subject + headers + payload + 16;
}

bool memory_tables::put_message(const stored_message& m) {
  record r{m.time_ns,
           m.expires_ns,
           static_cast<uint32_t>(m.subject.size()),
           static_cast<uint32_t>(m.headers.size()),
           {}};
  r.bytes.reserve(m.subject.size() + m.headers.size() + m.payload.size());
  r.bytes.append(m.subject).append(m.headers).append(m.payload);
  messages_.emplace_hint(messages_.end(), m.seq, std::move(r));
  if (m.expires_ns > 0) ttl_.emplace(m.expires_ns, m.seq);
  auto at = subjects_.find(m.subject);
  if (at == subjects_.end()) at = subjects_.emplace(m.subject, sequences{}).first;
  at->second.seqs.push_back(m.seq);
  return at->second.live++ == 0;
}

std::optional<stored_head> memory_tables::head(uint64_t seq) {
  auto at = messages_.find(seq);
  if (at == messages_.end()) return std::nullopt;
  const auto& r = at->second;
  stored_head m;
  m.seq = seq;
  m.time_ns = r.time_ns;
  m.expires_ns = r.expires_ns;
  std::string_view bytes{r.bytes};
  m.subject = bytes.substr(0, r.subject_size);
  m.body = bytes.substr(r.subject_size);
  m.headers_size = r.headers_size;
  m.payload_size = m.body.size() - m.headers_size;
  return m;
}

bool memory_tables::remove_message(uint64_t seq, std::string_view subject, int64_t expires_ns) {
  if (expires_ns > 0) ttl_.erase({expires_ns, seq});
  messages_.erase(seq);
  auto at = subjects_.find(subject);
  auto& s = at->second;
  if (--s.live == 0) {
    subjects_.erase(at);
    return true;
  }
  while (!there(s.seqs[s.begin])) ++s.begin;
  if (s.seqs.size() > 2 * s.live + 64) compact(s);
  return false;
}

void memory_tables::compact(sequences& s) {
  std::erase_if(s.seqs, [&](uint64_t seq) { return !there(seq); });
  s.begin = 0;
}

void memory_tables::remove_all_messages() {
  messages_.clear();
  subjects_.clear();
  ttl_.clear();
}

uint64_t memory_tables::first_at_or_after(uint64_t seq) {
  auto at = messages_.lower_bound(seq);
  return at == messages_.end() ? 0 : at->first;
}

std::optional<std::pair<int64_t, uint64_t>> memory_tables::first_ttl() {
  if (ttl_.empty()) return std::nullopt;
  return *ttl_.begin();
}

uint64_t memory_tables::next_of(const sequences& s, uint64_t from) const {
  auto at = std::lower_bound(s.seqs.begin() + static_cast<ptrdiff_t>(s.begin), s.seqs.end(), from);
  while (at != s.seqs.end() && !there(*at)) ++at;
  return at == s.seqs.end() ? 0 : *at;
}

uint64_t memory_tables::last_of(const sequences& s, uint64_t up_to) const {
  auto begin = s.seqs.begin() + static_cast<ptrdiff_t>(s.begin);
  auto at = std::upper_bound(begin, s.seqs.end(), up_to);
  while (at != begin)
    if (there(*--at)) return *at;
  return 0;
}

uint64_t memory_tables::subject_msgs(std::string_view subject) {
  auto at = subjects_.find(subject);
  return at == subjects_.end() ? 0 : at->second.live;
}

uint64_t memory_tables::subject_first(std::string_view subject) {
  auto at = subjects_.find(subject);
  return at == subjects_.end() ? 0 : next_of(at->second, 0);
}

template <class F>
void memory_tables::for_each_match(std::string_view filter, F&& f) {
  if (!filter.empty() && !has_wildcard(filter)) {
    if (auto at = subjects_.find(filter); at != subjects_.end()) f(at->first, at->second);
    return;
  }
  auto prefix = takes_all(filter) ? std::string_view{} : literal_prefix(filter);
  for (auto at = subjects_.lower_bound(prefix);
       at != subjects_.end() && at->first.starts_with(prefix); ++at)
    if (filter_matches(filter, at->first)) f(at->first, at->second);
}

uint64_t memory_tables::filter_last(std::string_view filter) {
  uint64_t last = 0;
  for_each_match(filter, [&](const std::string&, const sequences& s) {
    if (s.seqs.back() > last) last = std::max(last, last_of(s, s.seqs.back()));
  });
  return last;
}

uint64_t memory_tables::filter_count(std::string_view filter, uint64_t from) {
  uint64_t count = 0;
  for_each_match(filter, [&](const std::string&, const sequences& s) {
    if (from <= s.seqs[s.begin]) {
      count += s.live;
      return;
    }
    auto at = std::lower_bound(s.seqs.begin(), s.seqs.end(), from);
    count += static_cast<uint64_t>(
        std::count_if(at, s.seqs.end(), [&](uint64_t seq) { return there(seq); }));
  });
  return count;
}

std::vector<uint64_t> memory_tables::filter_next(std::string_view filter, uint64_t from,
                                                 size_t at_most) {
  std::vector<uint64_t> found;
  constexpr size_t scanned_first = 256;
  size_t scanned = 0;
  auto at = messages_.lower_bound(from);
  for (; at != messages_.end() && found.size() < at_most; ++at) {
    if (++scanned > scanned_first && !takes_all(filter)) break;
    auto subject = std::string_view{at->second.bytes}.substr(0, at->second.subject_size);
    if (filter_matches(filter, subject)) found.push_back(at->first);
  }
  if (!found.empty() || at == messages_.end()) return found;
  from = at->first;
  for_each_match(filter, [&](const std::string&, const sequences& s) {
    size_t taken = 0;
    for (auto seq = next_of(s, from); seq != 0 && taken < at_most; seq = next_of(s, seq + 1)) {
      found.push_back(seq);
      ++taken;
    }
  });
  std::sort(found.begin(), found.end());
  if (found.size() > at_most) found.resize(at_most);
  return found;
}

std::vector<subject_count> memory_tables::subjects(std::string_view filter, std::string_view after,
                                                   size_t at_most) {
  std::vector<subject_count> found;
  auto prefix = takes_all(filter) ? std::string_view{} : literal_prefix(filter);
  auto at = after.empty() ? subjects_.begin() : subjects_.upper_bound(after);
  if (at != subjects_.end() && at->first < prefix) at = subjects_.lower_bound(prefix);
  for (; at != subjects_.end() && found.size() < at_most; ++at) {
    if (!at->first.starts_with(prefix)) break;
    if (filter_matches(filter, at->first)) found.push_back({at->first, at->second.live});
  }
  return found;
}

std::vector<subject_count> memory_tables::subjects_after(std::string_view after, size_t at_most) {
  return subjects({}, after, at_most);
}

std::vector<uint64_t> memory_tables::last_per_subject(std::string_view filter, uint64_t up_to) {
  std::vector<uint64_t> found;
  for_each_match(filter, [&](const std::string&, const sequences& s) {
    if (auto seq = last_of(s, up_to == 0 ? UINT64_MAX : up_to)) found.push_back(seq);
  });
  std::sort(found.begin(), found.end());
  return found;
}

uint64_t memory_tables::find_id(std::string_view id, int64_t after_ns) {
  auto at = id_index_.find(std::string{id});
  return at == id_index_.end() || at->second.first <= after_ns ? 0 : at->second.second;
}

void memory_tables::add_id(std::string_view id, uint64_t seq, int64_t time_ns) {
  ids_.push_back({std::string{id}, time_ns, seq});
  id_index_[ids_.back().id] = {time_ns, seq};
}

bool memory_tables::expire_ids(int64_t up_to_ns, size_t at_most) {
  for (; !ids_.empty() && ids_.front().time_ns <= up_to_ns; --at_most) {
    if (at_most == 0) return true;
    auto at = id_index_.find(ids_.front().id);
    if (at != id_index_.end() && at->second.second == ids_.front().seq) id_index_.erase(at);
    ids_.pop_front();
  }
  return false;
}

void memory_tables::put_consumer(std::string_view name, std::string_view row) {
  consumers.insert_or_assign(std::string{name}, std::string{row});
}

bool memory_tables::remove_consumer(std::string_view name) {
  auto at = consumers.find(name);
  if (at == consumers.end()) return false;
  consumers.erase(at);
  return true;
}

}  // namespace vagus

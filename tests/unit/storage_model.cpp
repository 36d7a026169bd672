#include "storage_model.hpp"

#include <algorithm>

namespace vagus::testing {

uint64_t model::size(const message& m) const {
  auto parts = m.subject.size() + m.headers.size() + m.payload.size();
  return file_ ? parts + 30 + (m.headers.empty() ? 0 : 4) : parts + 16;
}

uint64_t model::bytes() const {
  uint64_t sum = 0;
  for (const auto& [seq, m] : messages_) sum += size(m);
  return sum;
}

store_state model::state() const {
  store_state s;
  s.msgs = messages_.size();
  s.bytes = bytes();
  s.first_seq = messages_.empty() ? first_ : messages_.begin()->first;
  s.last_seq = last_;
  s.first_time_ns = messages_.empty() ? 0 : messages_.begin()->second.time_ns;
  s.last_time_ns = last_time_;
  s.num_subjects = counts("").size();
  return s;
}

std::vector<uint64_t> model::matching(std::string_view filter, uint64_t from) const {
  std::vector<uint64_t> found;
  for (auto at = messages_.lower_bound(from); at != messages_.end(); ++at)
    if (filter_matches(filter, at->second.subject)) found.push_back(at->first);
  return found;
}

std::map<std::string, uint64_t> model::counts(std::string_view filter) const {
  std::map<std::string, uint64_t> result;
  for (auto seq : matching(filter, 0)) ++result[messages_.at(seq).subject];
  return result;
}

std::vector<uint64_t> model::last_per_subject(std::string_view filter, uint64_t up_to) const {
  std::map<std::string, uint64_t> last;
  for (auto seq : matching(filter, 0))
    if (up_to == 0 || seq <= up_to) last[messages_.at(seq).subject] = seq;
  std::vector<uint64_t> result;
  for (const auto& [subject, seq] : last) result.push_back(seq);
  std::sort(result.begin(), result.end());
  return result;
}

outcome model::apply(const proposal& p) {
  outcome result;
  if (auto* s = std::get_if<store_proposal>(&p)) result = store(*s);
  if (auto* g = std::get_if<purge_proposal>(&p)) result = purge(*g);
  if (std::holds_alternative<expire_proposal>(p)) result = expire();
  if (auto* d = std::get_if<delete_proposal>(&p)) {
    result.removed = messages_.erase(d->seq);
    if (result.removed == 0) result.error = store_errc::no_message;
  }
  if (auto* c = std::get_if<configure_proposal>(&p)) limits_ = c->limits;
  if (auto* c = std::get_if<consumer_put_proposal>(&p))
    consumers_[std::string{c->name}] = std::string{c->row};
  if (auto* c = std::get_if<consumer_delete_proposal>(&p))
    result.removed = consumers_.erase(std::string{c->name});
  if (messages_.empty() && last_ > 0) first_ = last_ + 1;
  return result;
}

outcome model::store(const store_proposal& p) {
  outcome r;
  auto fail = [&](store_errc error, uint64_t seq = 0) {
    r.error = error;
    r.seq = seq;
    return r;
  };
  std::string id{p.msg_id};
  if (p.seq != 0 && p.seq <= last_) return fail(store_errc::wrong_last_sequence, last_);
  if (p.expected_last_subject_seq) {
    auto seqs = matching(p.expected_subject.empty() ? p.subject : p.expected_subject, 0);
    auto last = seqs.empty() ? 0 : seqs.back();
    if (last != *p.expected_last_subject_seq) return fail(store_errc::wrong_last_sequence, last);
  }
  if (p.expected_last_seq && *p.expected_last_seq != last_)
    return fail(store_errc::wrong_last_sequence, last_);
  if (p.refused == store_proposal::refusal::after_sequences) return fail(store_errc::refused);
  if (auto at = ids_.find(id); p.seq == 0 && at != ids_.end() && limits_.duplicate_window_ns > 0 &&
                               now_ - at->second.second < limits_.duplicate_window_ns) {
    r.duplicate = true;
    r.seq = at->second.first;
    return r;
  }
  if (p.expected_last_msg_id && *p.expected_last_msg_id != last_id_) {
    r.text = last_id_;
    return fail(store_errc::wrong_last_msg_id);
  }
  if (p.refused == store_proposal::refusal::after_ids) return fail(store_errc::refused);
  auto time = p.seq == 0 ? now_ : std::min(std::max(p.time_ns, last_time_), now_);
  message m{std::string{p.subject}, std::string{p.headers}, std::string{p.payload}, time,
            p.ttl_ns > 0 ? time + p.ttl_ns : p.ttl_ns};
  if (limits_.max_msg_size > 0 &&
      m.headers.size() + m.payload.size() > static_cast<uint64_t>(limits_.max_msg_size))
    return fail(store_errc::message_too_large);
  auto same = matching(p.subject, 0);
  if (p.wants_previous && !same.empty()) r.previous = same.back();
  auto most = static_cast<uint64_t>(std::max<int64_t>(limits_.max_msgs_per_subject, 0));
  if (limits_.discard_new && !p.skip) {
    bool full = most > 0 && same.size() >= most;
    if (full && limits_.discard_new_per_subject && !p.rollup_subject && !p.rollup_all)
      return fail(store_errc::max_per_subject_reached);
    if (!full && limits_.max_msgs > 0 &&
        messages_.size() >= static_cast<uint64_t>(limits_.max_msgs))
      return fail(store_errc::max_msgs_reached);
    if (limits_.max_bytes > 0 && bytes() + size(m) >= static_cast<uint64_t>(limits_.max_bytes) &&
        (!full || size(messages_.at(same.front())) < size(m)))
      return fail(store_errc::max_bytes_reached);
  }
  r.seq = last_ = p.seq == 0 ? last_ + 1 : p.seq;
  last_time_ = time;
  last_id_ = id;
  note_id(id, time, p.seq != 0);
  if (p.rollup_all) messages_.clear();
  if (p.rollup_subject)
    for (auto seq : same) messages_.erase(seq);
  if (p.skip) return r;
  messages_[last_] = m;
  for (auto seqs = matching(p.subject, 0); most > 0 && seqs.size() > most; seqs.erase(seqs.begin()))
    messages_.erase(seqs.front());
  limit();
  return r;
}

void model::note_id(const std::string& id, int64_t time, bool placed) {
  auto since = now_ - limits_.duplicate_window_ns;
  if (id.empty() || limits_.duplicate_window_ns <= 0 || time <= since) return;
  auto at = ids_.find(id);
  if (!placed || at == ids_.end() || at->second.second <= since) ids_[id] = {last_, time};
}

void model::limit() {
  if (limits_.discard_new) return;
  auto over = [&] {
    return (limits_.max_msgs > 0 && messages_.size() > static_cast<uint64_t>(limits_.max_msgs)) ||
           (limits_.max_bytes > 0 && bytes() > static_cast<uint64_t>(limits_.max_bytes));
  };
  while (over()) messages_.erase(messages_.begin());
}

void model::end() {
  limit();
  std::erase_if(ids_, [&](const auto& entry) {
    return entry.second.second <= now_ - limits_.duplicate_window_ns;
  });
  auto most = static_cast<uint64_t>(std::max<int64_t>(limits_.max_msgs_per_subject, 0));
  if (most == 0) return;
  for (const auto& [subject, count] : counts(""))
    for (auto seqs = matching(subject, 0); seqs.size() > most; seqs.erase(seqs.begin()))
      messages_.erase(seqs.front());
  if (messages_.empty() && last_ > 0) first_ = last_ + 1;
}

outcome model::purge(const purge_proposal& p) {
  outcome r;
  auto seqs = matching(p.filter, 0);
  bool all = takes_all(p.filter) && p.keep == 0;
  auto left = seqs.size() > p.keep ? seqs.size() - p.keep : 0;
  for (auto seq : seqs) {
    if (left == 0 || (p.up_to > 0 && seq >= p.up_to)) break;
    messages_.erase(seq);
    ++r.removed;
    --left;
  }
  if (all && p.up_to > last_ + 1) last_ = p.up_to - 1;
  return r;
}

/// First what is too old, by sequence; then what outlived its own time, by that time.
outcome model::expire() {
  outcome r;
  auto old = [&](const message& m) {
    return limits_.max_age_ns > 0 && m.expires_ns != ttl_never &&
           m.time_ns + limits_.max_age_ns <= now_;
  };
  auto oldest = [&] {
    return std::find_if(messages_.begin(), messages_.end(),
                        [&](const auto& entry) { return old(entry.second); });
  };
  for (auto at = oldest(); at != messages_.end(); at = oldest(), ++r.removed) expire_one(at->first);
  auto outlived = [&] {
    auto first = messages_.end();
    for (auto at = messages_.begin(); at != messages_.end(); ++at) {
      auto expires = at->second.expires_ns;
      if (expires <= 0 || expires > now_) continue;
      if (first == messages_.end() || expires < first->second.expires_ns) first = at;
    }
    return first;
  };
  for (auto at = outlived(); at != messages_.end(); at = outlived(), ++r.removed)
    expire_one(at->first);
  return r;
}

void model::expire_one(uint64_t seq) {
  auto m = messages_.at(seq);
  messages_.erase(seq);
  auto seconds = limits_.subject_delete_marker_ttl_ns / 1'000'000'000;
  bool is_marker = m.headers.find("Nats-Marker-Reason") != std::string::npos;
  if (seconds == 0 || is_marker || !matching(m.subject, 0).empty()) return;
  auto headers = "NATS/1.0\r\nNats-Marker-Reason: MaxAge\r\nNats-TTL: " + std::to_string(seconds) +
                 "s\r\nNats-Rollup: sub\r\n\r\n";
  store_proposal marker;
  marker.subject = m.subject;
  marker.headers = headers;
  marker.ttl_ns = seconds * 1'000'000'000;
  if (auto stored = store(marker); stored.error == store_errc::none)
    markers_.push_back({stored.seq, seq});
}

}  // namespace vagus::testing

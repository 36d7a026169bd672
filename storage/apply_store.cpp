#include "storage/applier.hpp"

namespace vagus {

namespace {

constexpr size_t most_pending_purges = 64;

}  // namespace

outcome applier::operator()(const store_proposal& p) {
  auto result = check(p);
  if (result.duplicate || result.error != store_errc::none) return result;
  auto& state = meta_.state;
  auto size = rows_.stored_size(p.subject.size(), p.headers.size(), p.payload.size());
  if (p.wants_previous) result.previous = rows_.filter_last(p.subject);
  if (!p.skip) {
    result.error = check_space(p, size);
    if (result.error != store_errc::none) return result;
  }
  roll_up(p);  // as nats-server, also for a message that nobody is interested in
  auto time = p.seq == 0 ? time_ns_ : own_time(p.time_ns);
  result.seq = take_place(p.seq == 0 ? state.last_seq + 1 : p.seq);
  state.last_time_ns = time;
  meta_.last_msg_id.assign(p.msg_id);
  if (p.seq == 0)
    note_id(p.msg_id, result.seq, time);
  else
    note_own_id(p.msg_id, result.seq, time);
  if (p.skip) {
    has_gaps_ = true;
    if (state.msgs == 0) state.first_seq = state.last_seq + 1;
    return result;
  }
  stored_message m;
  m.seq = state.last_seq;
  m.time_ns = time;
  m.subject = p.subject;
  m.headers = p.headers;
  m.payload = p.payload;
  m.expires_ns = p.ttl_ns > 0 ? later(time, p.ttl_ns) : p.ttl_ns;
  put(m, size);
  if (meta_.limits.max_msgs_per_subject > 0) enforce_subject_limit(p.subject);
  enforce_limits();
  return result;
}

/// Neither before the message before it nor after the batch.
int64_t applier::own_time(int64_t time_ns) const {
  return std::min(std::max(time_ns, meta_.state.last_time_ns), time_ns_);
}

void applier::note_id(std::string_view id, uint64_t seq, int64_t time_ns) {
  if (!id.empty() && meta_.limits.duplicate_window_ns > 0) rows_.add_id(id, seq, time_ns);
}

/// That of a message at its own place: it may be old, and was not looked for. The first of several
/// messages with an id counts, as long as its window lasts.
void applier::note_own_id(std::string_view id, uint64_t seq, int64_t time_ns) {
  auto since = time_ns_ - meta_.limits.duplicate_window_ns;
  if (time_ns > since && !id.empty() && rows_.find_id(id, since) == 0) note_id(id, seq, time_ns);
}

uint64_t applier::take_place(uint64_t seq) {
  auto& state = meta_.state;
  has_gaps_ = has_gaps_ || seq != state.last_seq + 1;
  return state.last_seq = seq;
}

/// In the order in which nats-server looks: a wrong sequence is reported even of a duplicate.
outcome applier::check(const store_proposal& p) {
  outcome result;
  auto wrong = [&](store_errc error, uint64_t seq) {
    result.error = error;
    result.seq = seq;
    return result;
  };
  if (p.seq != 0 && !above_all(p.seq))
    return wrong(store_errc::wrong_last_sequence, meta_.state.last_seq);
  if (p.expected_last_subject_seq) {
    auto last = rows_.filter_last(p.expected_subject.empty() ? p.subject : p.expected_subject);
    if (last != *p.expected_last_subject_seq) return wrong(store_errc::wrong_last_sequence, last);
  }
  if (p.expected_last_seq && *p.expected_last_seq != meta_.state.last_seq)
    return wrong(store_errc::wrong_last_sequence, meta_.state.last_seq);
  if (p.refused == store_proposal::refusal::after_sequences) return wrong(store_errc::refused, 0);
  if (auto window = meta_.limits.duplicate_window_ns;
      !p.msg_id.empty() && window > 0 && p.seq == 0) {
    result.seq = rows_.find_id(p.msg_id, time_ns_ - window);
    result.duplicate = result.seq != 0;
    if (result.duplicate) return result;
  }
  if (p.expected_last_msg_id && *p.expected_last_msg_id != meta_.last_msg_id) {
    result.text = meta_.last_msg_id;
    return wrong(store_errc::wrong_last_msg_id, 0);
  }
  if (p.refused == store_proposal::refusal::after_ids) return wrong(store_errc::refused, 0);
  auto most = meta_.limits.max_msg_size;
  if (most > 0 && p.headers.size() + p.payload.size() > static_cast<uint64_t>(most))
    return wrong(store_errc::message_too_large, 0);
  return result;
}

/// Discard new. At the subject's own limit a message replaces the oldest one, so that it needs no
/// room besides the difference.
store_errc applier::check_space(const store_proposal& p, uint64_t size) {
  const auto& limits = meta_.limits;
  const auto& state = meta_.state;
  if (!limits.discard_new) return store_errc::none;
  auto per_subject = static_cast<uint64_t>(std::max<int64_t>(limits.max_msgs_per_subject, 0));
  bool replaces = per_subject > 0 && rows_.subject_msgs(p.subject) >= per_subject;
  if (replaces && limits.discard_new_per_subject && !p.rollup_subject && !p.rollup_all)
    return store_errc::max_per_subject_reached;
  if (limits.max_msgs > 0 && state.msgs >= static_cast<uint64_t>(limits.max_msgs) && !replaces)
    return store_errc::max_msgs_reached;
  if (limits.max_bytes > 0 && state.bytes + size >= static_cast<uint64_t>(limits.max_bytes))
    if (!replaces || size_of(rows_.subject_first(p.subject)) < size)
      return store_errc::max_bytes_reached;
  return store_errc::none;
}

uint64_t applier::size_of(uint64_t seq) {
  auto m = rows_.head(seq);
  return m ? rows_.stored_size(m->subject.size(), m->headers_size, m->payload_size) : 0;
}

/// Before the message itself is stored, which gives the same state as after it.
void applier::roll_up(const store_proposal& p) {
  if (p.rollup_all) return purge_all(meta_.state.last_seq + 1);
  if (!p.rollup_subject) return;
  uint64_t removed = 0;
  auto up_to = meta_.state.last_seq + 1;
  // Should more rollups wait than are remembered, this one takes the time that it needs.
  while (!remove_matching(p.subject, up_to, 0, removal::rollup, removed)) {
    if (meta_.purges.size() < most_pending_purges)
      return meta_.purges.push_back({std::string{p.subject}, up_to});
    budget_ = removals_per_batch;
  }
}

void applier::put(const stored_message& m, uint64_t size) {
  auto& state = meta_.state;
  if (rows_.put_message(m)) ++state.num_subjects;
  if (state.msgs++ == 0) {
    state.first_seq = m.seq;
    state.first_time_ns = m.time_ns;
  }
  state.bytes += size;
}

outcome applier::operator()(const restore_proposal& p) {
  auto& state = meta_.state;
  outcome result;
  result.seq = state.last_seq;
  if (!above_all(p.seq)) {
    result.error = store_errc::wrong_last_sequence;
    return result;
  }
  auto time = own_time(p.time_ns);
  result.seq = take_place(p.seq);
  state.last_time_ns = time;
  if (state.msgs == 0) state.first_seq = p.seq + 1;
  if (p.subject.empty()) return result;
  auto size = rows_.stored_size(p.subject.size(), p.headers.size(), p.payload.size());
  put({p.seq, time, p.expires_ns, p.subject, p.headers, p.payload}, size);
  meta_.last_msg_id.assign(p.msg_id);
  note_own_id(p.msg_id, p.seq, time);
  return result;
}

}  // namespace vagus

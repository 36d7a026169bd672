#include "storage/applier.hpp"
#include "storage/packing.hpp"

namespace vagus {

namespace {

constexpr size_t subjects_per_batch = 1024;
constexpr size_t seqs_per_lookup = 512;

}  // namespace

void applier::remove(uint64_t seq, removal why) {
  auto m = rows_.head(seq);
  if (!m) throw store_failure{{store_errc::corrupt, seq, "the index names a message not there"}};
  remove(*m, why);
}

bool applier::is_marker(const stored_head& m) {
  body_opener opener;
  auto opened = m.headers_size > 0 ? opener.open(m) : stored_message{};
  if (!opened) throw store_failure{{store_errc::corrupt, m.seq, "message: it cannot be unpacked"}};
  return is_delete_marker(opened->headers);
}

void applier::remove(const stored_head& m, removal why) {
  auto& state = meta_.state;
  auto seq = m.seq;
  std::string subject{m.subject};
  state.bytes -= rows_.stored_size(m.subject.size(), m.headers_size, m.payload_size);
  bool leaves_marker = (why == removal::age || why == removal::ttl) &&
                       meta_.limits.subject_delete_marker_ttl_ns > 0 && !is_marker(m);
  bool emptied = rows_.remove_message(seq, subject, m.expires_ns);
  if (emptied) --state.num_subjects;
  if (budget_ > 0) --budget_;
  if (--state.msgs == 0) {
    state.first_seq = state.last_seq + 1;
    state.first_time_ns = 0;
  } else if (seq == state.first_seq) {
    state.first_seq = rows_.first_at_or_after(seq + 1);
    auto first = rows_.head(state.first_seq);
    if (!first) throw store_failure{{store_errc::corrupt, seq, "the count of messages is wrong"}};
    state.first_time_ns = first->time_ns;
  }
  if (report_) report_->push_back({seq, why, emptied, subject});
  if (leaves_marker && emptied) put_marker(subject, seq);
}

/// As if it had been proposed: where discard new has no room for it, there is none.
void applier::put_marker(std::string_view subject, uint64_t previous) {
  auto ttl_ns = meta_.limits.subject_delete_marker_ttl_ns / 1'000'000'000 * 1'000'000'000;
  auto headers = delete_marker_headers(ttl_ns);
  store_proposal marker;
  marker.subject = subject;
  marker.headers = headers;
  marker.ttl_ns = ttl_ns;
  auto stored = (*this)(marker);
  if (stored.error == store_errc::none) markers_.push_back({stored.seq, previous});
}

void applier::enforce_subject_limit(std::string_view subject) {
  auto most = static_cast<uint64_t>(meta_.limits.max_msgs_per_subject);
  for (auto msgs = rows_.subject_msgs(subject); msgs > most; --msgs) {
    if (budget_ == 0) {
      meta_.sweeping = true;
      meta_.sweep_after.clear();
      return;
    }
    remove(rows_.subject_first(subject), removal::limit);
  }
}

void applier::enforce_limits() {
  const auto& limits = meta_.limits;
  const auto& state = meta_.state;
  auto over = [&] {
    if (limits.discard_new) return false;
    return (limits.max_msgs > 0 && state.msgs > static_cast<uint64_t>(limits.max_msgs)) ||
           (limits.max_bytes > 0 && state.bytes > static_cast<uint64_t>(limits.max_bytes));
  };
  while (over() && budget_ > 0) remove(state.first_seq, removal::limit);
  meta_.over_limits = over();
}

void applier::sweep_subjects() {
  if (!meta_.sweeping) return;
  if (meta_.limits.max_msgs_per_subject <= 0) {
    meta_.sweeping = false;
    return;
  }
  auto most = static_cast<uint64_t>(meta_.limits.max_msgs_per_subject);
  auto subjects = rows_.subjects_after(meta_.sweep_after, subjects_per_batch);
  for (const auto& s : subjects) {
    for (auto msgs = s.msgs; msgs > most; --msgs) {
      if (budget_ == 0) return;
      remove(rows_.subject_first(s.subject), removal::limit);
    }
    meta_.sweep_after = s.subject;
  }
  if (subjects.size() < subjects_per_batch) {
    meta_.sweeping = false;
    meta_.sweep_after.clear();
  }
}

void applier::finish_purges() {
  while (!meta_.purges.empty() && budget_ > 0) {
    auto& p = meta_.purges.back();
    uint64_t removed = 0;
    if (!remove_matching(p.filter, p.up_to, 0, removal::rollup, removed)) return;
    meta_.purges.pop_back();
  }
}

bool applier::remove_matching(std::string_view filter, uint64_t up_to, uint64_t at_most,
                              removal why, uint64_t& removed) {
  for (auto from = meta_.state.first_seq;;) {
    auto found = rows_.filter_next(filter, from, seqs_per_lookup);
    for (auto seq : found) {
      if (seq >= up_to || (at_most > 0 && removed == at_most)) return true;
      if (budget_ == 0) return false;
      remove(seq, why);
      ++removed;
    }
    if (found.empty()) return true;
    from = found.back() + 1;
  }
}

/// `first_seq` is what the stream goes on with.
void applier::purge_all(uint64_t first_seq) {
  auto& state = meta_.state;
  if (state.msgs > 0) rows_.remove_all_messages();
  state.msgs = state.bytes = state.num_subjects = 0;
  state.first_time_ns = 0;
  state.first_seq = first_seq;
  state.last_seq = first_seq - 1;
  meta_.purges.clear();
}

outcome applier::operator()(const delete_proposal& p) {
  outcome result;
  auto m = rows_.head(p.seq);
  if (!m) {
    result.error = store_errc::no_message;
    return result;
  }
  remove(*m, removal::deleted);
  result.removed = 1;
  return result;
}

outcome applier::operator()(const purge_proposal& p) {
  outcome result;
  auto& state = meta_.state;
  bool all = takes_all(p.filter) && p.keep == 0 && p.at_most == 0;
  if (all && (p.up_to == 0 || p.up_to > state.last_seq)) {
    result.removed = state.msgs;
    purge_all(std::max(state.last_seq + 1, p.up_to));
    return result;
  }
  auto at_most = p.at_most;
  if (p.keep > 0) {
    auto msgs = rows_.filter_msgs(p.filter);
    if (msgs <= p.keep) return result;
    at_most = at_most > 0 ? std::min(at_most, msgs - p.keep) : msgs - p.keep;
  }
  auto up_to = p.up_to > 0 ? p.up_to : state.last_seq + 1;
  result.more = !remove_matching(p.filter, up_to, at_most, removal::purged, result.removed);
  if (result.more) result.rest = {up_to, at_most > 0 ? at_most - result.removed : 0};
  return result;
}

outcome applier::operator()(const expire_proposal&) {
  outcome result;
  bool done = expire_by_age(result.removed) && expire_by_ttl(result.removed);
  result.more = !done;
  return result;
}

/// A message that never expires stays, and is not looked at again.
bool applier::expire_by_age(uint64_t& removed) {
  if (meta_.limits.max_age_ns <= 0) return true;
  auto& floor = meta_.age_floor;
  floor = std::max(floor, meta_.state.first_seq);
  for (uint64_t steps = 0; meta_.state.msgs > 0; ++steps) {
    auto seq = rows_.first_at_or_after(floor);
    if (seq == 0) return true;
    auto m = rows_.head(seq);
    if (!m) throw store_failure{{store_errc::corrupt, seq, "a message is there and is not"}};
    if (later(m->time_ns, meta_.limits.max_age_ns) > time_ns_) return true;
    if (budget_ == 0 || steps == removals_per_batch) return false;
    floor = seq + 1;
    if (m->expires_ns == ttl_never) continue;
    remove(*m, removal::age);
    ++removed;
  }
  return true;
}

bool applier::expire_by_ttl(uint64_t& removed) {
  for (;;) {
    auto next = rows_.first_ttl();
    if (!next || next->first > time_ns_) return true;
    if (budget_ == 0) return false;
    remove(next->second, removal::ttl);
    ++removed;
  }
}

}  // namespace vagus

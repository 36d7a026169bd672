#include "storage/apply.hpp"

#include "net/subject.hpp"
#include "storage/applier.hpp"

#include <array>

namespace vagus {

bool takes_all(std::string_view filter) {
  return filter.empty() || filter == ">";
}

bool filter_matches(std::string_view filter, std::string_view subject) {
  return takes_all(filter) || filter == subject || subject_matches(filter, subject);
}

store_error check_batch(std::string_view batch) {
  batch_reader in{batch};
  auto named = [](std::string_view name) { return !name.empty() && name.size() <= 480; };
  for (proposal p; in.next(p);) {
    if (auto* put = std::get_if<store_proposal>(&p); put && put->subject.empty())
      return {store_errc::malformed_batch, 0, "a message has no subject"};
    if (auto* put = std::get_if<consumer_put_proposal>(&p); put && !named(put->name))
      return {store_errc::malformed_batch, 0, "a consumer's name is empty or over 480 bytes"};
    if (auto* gone = std::get_if<consumer_delete_proposal>(&p); gone && !named(gone->name))
      return {store_errc::malformed_batch, 0, "a consumer's name is empty or over 480 bytes"};
  }
  if (in.valid()) return {};
  return {store_errc::malformed_batch, 0, "the batch does not follow the format"};
}

namespace {

/// Reads some proposals ahead of the one that is applied: with many subjects most of the time would
/// go into waiting for memory.
void apply_all(tables& rows, batch_reader& in, applier& run, std::vector<outcome>& outcomes) {
  constexpr size_t far = 16;
  constexpr size_t near = 6;
  std::array<proposal, far> ring;
  std::array<bool, far> chained{};
  size_t read = 0;
  outcome refused;
  refused.error = store_errc::refused;
  auto failed = [](const outcome& o) { return o.error != store_errc::none; };
  auto expect = [&](const proposal& p, bool soon) {
    if (auto* s = std::get_if<store_proposal>(&p)) rows.expect(s->subject, s->msg_id, soon);
  };
  for (size_t done = 0;; ++done) {
    while (read < done + far && in.next(ring[read % far])) {
      chained[read % far] = in.chained();
      expect(ring[read++ % far], false);
    }
    if (done == read) return;
    if (done + near < read) expect(ring[(done + near) % far], true);
    bool left_out = chained[done % far] && (done == 0 || failed(outcomes.back()));
    outcomes.push_back(left_out ? refused : std::visit(run, ring[done % far]));
  }
}

}  // namespace

applied apply_batch(tables& rows, std::string_view batch, bool report_removed) {
  batch_reader in{batch};
  auto& meta = rows.meta();
  applied result;
  result.already = in.number() != 0 && in.number() <= meta.applied;
  if (!result.already) {
    meta.applied = in.number() != 0 ? in.number() : meta.applied + 1;
    meta.time_ns = std::max(meta.time_ns, in.time_ns());
    applier run{rows, meta.time_ns, removals_per_batch + 2 * uint64_t{in.size()},
                report_removed ? &result.removed : nullptr, result.markers};
    result.outcomes.reserve(in.size());
    apply_all(rows, in, run, result.outcomes);
    result.more = run.finish(in.size());
    result.has_gaps = run.has_gaps();
    result.next_expiry_ns = run.next_expiry();
  }
  result.number = meta.applied;
  result.state = meta.state;
  return result;
}

bool applier::finish(size_t proposals) {
  finish_purges();
  enforce_limits();
  sweep_subjects();
  auto window = meta_.limits.duplicate_window_ns;
  bool old_ids = rows_.expire_ids(window > 0 ? time_ns_ - window : INT64_MAX, 1024 + 2 * proposals);
  return meta_.over_limits || meta_.sweeping || !meta_.purges.empty() || old_ids;
}

int64_t applier::next_expiry() {
  int64_t next = 0;
  if (meta_.limits.max_age_ns > 0 && meta_.state.msgs > 0) {
    auto seq = rows_.first_at_or_after(std::max(meta_.age_floor, meta_.state.first_seq));
    if (seq == meta_.state.first_seq) {
      next = later(meta_.state.first_time_ns, meta_.limits.max_age_ns);
    } else if (seq != 0) {
      next = later(rows_.head(seq)->time_ns, meta_.limits.max_age_ns);
    }
  }
  if (auto ttl = rows_.first_ttl(); ttl && (next == 0 || ttl->first < next)) next = ttl->first;
  return next;
}

outcome applier::operator()(const configure_proposal& p) {
  auto before = meta_.limits;
  meta_.limits = p.limits;
  auto& state = meta_.state;
  if (p.limits.first_seq > 0 && state.last_seq == 0) {
    state.first_seq = p.limits.first_seq;
    state.last_seq = p.limits.first_seq - 1;
  }
  if (p.limits.max_age_ns != before.max_age_ns) meta_.age_floor = 0;
  auto most = p.limits.max_msgs_per_subject;
  if (most > 0 && (before.max_msgs_per_subject <= 0 || most < before.max_msgs_per_subject)) {
    meta_.sweeping = true;
    meta_.sweep_after.clear();
  }
  rows_.put_config(p.blob);
  return {};
}

outcome applier::operator()(const consumer_put_proposal& p) {
  rows_.put_consumer(p.name, p.row);
  return {};
}

outcome applier::operator()(const consumer_delete_proposal& p) {
  outcome result;
  result.removed = rows_.remove_consumer(p.name) ? 1 : 0;
  return result;
}

}  // namespace vagus

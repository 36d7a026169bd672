#include "actors/jetstream/json_output.hpp"
#include "actors/jetstream/publish_headers.hpp"
#include "actors/jetstream/sourcing.hpp"
#include "actors/jetstream/stream.hpp"
#include "actors/pinned_actor.hpp"
#include "net/log.hpp"
#include "net/protocol/frame_reader.hpp"
#include "net/subject.hpp"

#include <caf/send.hpp>

#include <charconv>

namespace vagus {

namespace {

/// Messages may be refused, so that what comes of them is known for each only in the commit.
bool may_refuse(const stream_config& c) {
  return c.discard == discard_policy::new_msgs || c.max_msg_size > 0;
}

/// The row that says how far a source is. No consumer can be named so.
std::string progress_row_name(const std::string& source) {
  return fmt::format(".source.{:016x}", hash_bytes(source));
}

}  // namespace

struct stream_state::sourced_commit {
  struct message {
    uint32_t outcome = 0;  ///< its place in the batch
    uint64_t seq = 0;      ///< in the origin
  };
  size_t source = 0;
  std::vector<message> messages;
  std::string identity;  ///< of the origin
};

/// One actor for the mirror, or for each source. They go on behind what is stored. A sealed stream
/// takes nothing.
void stream_state::start_sources() {
  ++sources_epoch_;
  caught_up_ = false;
  auto origins = config().sources;
  if (config().mirror) origins = {*config().mirror};
  if (origins.empty()) return record_->put_sources({});
  auto snapshot = store_->read();
  std::vector<source_status_ptr> statuses;
  std::vector<source_part> parts;
  for (const auto& from : origins) {
    source_part part{source_name(from), sourced_subject{from}};
    part.status = std::make_shared<source_status>();
    if (snapshot) recover_progress(**snapshot, part);
    statuses.push_back(part.status);
    parts.push_back(std::move(part));
  }
  record_->put_sources(statuses);
  if (config().sealed) return;
  sources_ = std::move(parts);
  for (size_t i = 0; i < sources_.size(); ++i) {
    auto& part = sources_[i];
    part.actor = spawn_pinned<sourcing_state>(
        self_->system(), context_.loop, std::ref(context_), std::ref(js_),
        sourcing_start{i, origins[i], config().mirror.has_value(), part.stored, part.stored_of,
                       stream_actor{self_}, part.status});
  }
}

void stream_state::end_sources() {
  ++sources_epoch_;
  for (auto& s : sources_) caf::anon_send(s.actor, end_atom::value);
  sources_.clear();
}

/// A mirror's own last sequence says how far it is.
void stream_state::recover_progress(store_snapshot& in, source_part& part) const {
  if (config().mirror) {
    part.stored = in.state().last_seq;
  } else if (auto row = in.consumer(progress_row_name(part.name)); row && *row) {
    const char* end = (*row)->data() + (*row)->size();
    auto at = std::from_chars((*row)->data(), end, part.stored).ptr;
    if (at != end) part.stored_of.assign(at + 1, end);
    part.status->seq = part.stored;
  }
  part.expected = part.stored;
  part.expected_of = part.stored_of;
}

/// Answers direct gets for its origin as well, from when it has caught up with it for the first
/// time; not if it has other messages than the origin.
void stream_state::serve_origin() {
  const auto& mirror = config().mirror;
  bool wanted = caught_up_ && phase_ == phase::open && mirror && config().mirror_direct &&
                mirror->filter_subject.empty() && mirror->subject_transforms.empty() &&
                !config().subject_transform;
  if (!wanted) return end_readers(origin_readers_);
  if (origin_readers_.empty()) start_readers(origin_readers_, mirror->name);
}

/// Only what follows what came before: after a failure nothing that was on its way counts. An
/// origin that was made anew begins anew.
void stream_state::take_sourced(const sourced_ptr& messages) {
  if (messages->source >= sources_.size() || phase_ != phase::open) return;
  auto& part = sources_[messages->source];
  if (messages->sender != part.actor.address()) return;
  bool anew = messages->previous == 0 && messages->identity != part.expected_of;
  if (messages->previous != part.expected && !anew) return refuse_sourced(part);
  part.expected = messages->last;
  part.expected_of = messages->identity;
  part.waiting.push_back(messages);
  propose_sourced(messages->source);
}

/// What came of the source since is dropped; it comes again, behind what is stored.
void stream_state::refuse_sourced(source_part& part) {
  part.waiting.clear();
  part.expected = part.stored;
  part.expected_of = part.stored_of;
  caf::anon_send(part.actor, stored_atom::value, part.stored, part.stored_of, false);
}

/// One commit of each source at a time, so that what fails leaves no gap; it takes all that came
/// during the one before.
void stream_state::propose_sourced(size_t index) {
  auto& part = sources_[index];
  if (part.in_flight || part.waiting.empty()) return;
  if (js_.exceeded(config().storage)) {
    note_exceeded();
    return refuse_sourced(part);
  }
  part.in_flight = true;
  auto* batch = &open_batch();
  sourced_commit commit;
  commit.source = index;
  commit.identity = part.waiting.front()->identity;
  while (!part.waiting.empty() && part.waiting.front()->identity == commit.identity) {
    auto messages = std::move(part.waiting.front());
    part.waiting.pop_front();
    frame_reader frames{*messages->batch, messages->run};
    while (frames.next()) propose_one(part, frames.message(), *batch, commit);
  }
  if (!config().mirror && !may_refuse(config())) propose_progress(part, *batch, commit);
  batch->expect_end([this, batch, commit = std::move(commit), epoch = sources_epoch_] {
    if (epoch == sources_epoch_) settle_sourced(commit, *batch);
  });
}

/// The row that says how far the source is, for what was proposed last.
void stream_state::propose_progress(const source_part& part, stream_batch& batch,
                                    const sourced_commit& commit) const {
  if (commit.messages.empty()) return;
  auto row_name = progress_row_name(part.name);
  auto row = std::to_string(commit.messages.back().seq);
  if (!commit.identity.empty()) row += ' ' + commit.identity;
  batch.proposals.add(consumer_put_proposal{row_name, row}, true);
}

/// Each is stored only if the one before it was: what is refused comes again, with all behind it.
void stream_state::propose_one(const source_part& part, const message_view& m, stream_batch& batch,
                               sourced_commit& commit) {
  auto at = read_ack_subject(m.reply);
  if (!at) return;
  const auto& c = config();
  publish_headers asks;
  if (m.header_size > 0) asks = read_publish_headers(m.headers());
  std::string headers, buffer;
  auto subject = part.subject.apply(m.subject);
  store_proposal p;
  p.subject = transformed(subject, buffer);
  p.payload = m.payload();
  if (c.mirror) {
    headers = mirrored_headers(m.headers());
    p.seq = at->stream_seq;
    p.time_ns = at->time_ns;
  } else {
    headers = sourced_headers(m.headers(),
                              source_header(part.name, at->stream_seq, m.subject, commit.identity));
  }
  p.headers = headers;
  p.msg_id = asks.msg_id;
  if (c.allow_msg_ttl) p.ttl_ns = parse_message_ttl(asks.ttl).value_or(ttl_none);
  if (c.allow_rollup_hdrs && !c.deny_purge) {
    p.rollup_subject = asks.rollup == publish_headers::rollup_kind::subject;
    p.rollup_all = asks.rollup == publish_headers::rollup_kind::all;
  }
  p.skip = c.retention == retention_policy::interest && !interest_.wanted(p.subject);
  p.wants_previous = republish_ && !p.skip && republish_->matches(p.subject);
  bool chained = !commit.messages.empty();
  commit.messages.push_back({batch.proposals.size(), at->stream_seq});
  batch.proposals.add(p, chained);
  if (!c.mirror && may_refuse(c)) propose_progress(part, batch, commit);
}

void stream_state::settle_sourced(const sourced_commit& commit, const stream_batch& batch) {
  auto& part = sources_[commit.source];
  part.in_flight = false;
  const auto& result = batch.result;
  size_t stored = 0;
  for (const auto& m : commit.messages) {
    if (result.error || result.outcomes[m.outcome].error != store_errc::none) break;
    ++stored;
  }
  if (stored > 0) {
    part.stored = commit.messages[stored - 1].seq;
    part.stored_of = commit.identity;
    if (!config().mirror) part.status->seq = part.stored;
  }
  // Discard new, for instance: it is tried again from here.
  if (stored < commit.messages.size()) return refuse_sourced(part);
  caf::anon_send(part.actor, stored_atom::value, part.stored, part.stored_of, true);
  propose_sourced(commit.source);
}

}  // namespace vagus

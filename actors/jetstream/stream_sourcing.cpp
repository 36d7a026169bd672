#include "actors/jetstream/json_output.hpp"
#include "actors/jetstream/publish_headers.hpp"
#include "actors/jetstream/sources_check.hpp"
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

/// The row that says how far a source is. No consumer can be named so.
std::string progress_row_name(const std::string& source) {
  return fmt::format(".source.{:016x}", hash_bytes(source));
}

/// What says how the origin was to store a message, and where it came from there.
bool left_out(std::string_view line) {
  return line.starts_with("Nats-Expected-") || line.starts_with("Nats-Stream-Source:") ||
         line.starts_with("Nats-Rollup:");
}

/// The headers with which a sourced message is stored.
std::string sourced_headers(std::string_view own, const std::string& origin) {
  std::string block{"NATS/1.0\r\n"};
  auto at = own.find("\r\n");
  while (at != std::string_view::npos && at + 2 < own.size()) {
    auto end = own.find("\r\n", at + 2);
    auto line = own.substr(at + 2, end - at - 2);
    if (!line.empty() && !left_out(line)) block.append(line).append("\r\n");
    at = end;
  }
  return block.append(origin).append("\r\n");
}

std::vector<subject_transform> transforms_of(const stream_source& from) {
  std::vector<subject_transform> all;
  for (const auto& t : from.subject_transforms) {
    auto made = subject_transform::make(t.src, t.dest);
    if (auto* transform = std::get_if<subject_transform>(&made)) all.push_back(*transform);
  }
  return all;
}

}  // namespace

/// One actor for the mirror, or for each source. They go on behind what is stored.
void stream_state::start_sources() {
  ++sources_epoch_;
  std::vector<stream_source> origins = config().sources;
  if (config().mirror) origins = {*config().mirror};
  if (origins.empty()) return record_->put_sources({});
  auto snapshot = store_->read();
  std::vector<source_status_ptr> statuses;
  for (const auto& from : origins) {
    source_part part;
    part.name = source_name(from);
    part.transforms = transforms_of(from);
    part.status = std::make_shared<source_status>();
    if (snapshot) part.stored = stored_of(**snapshot, part.name);
    part.expected = part.stored;
    statuses.push_back(part.status);
    sources_.push_back(std::move(part));
  }
  record_->put_sources(statuses);
  for (size_t i = 0; i < sources_.size(); ++i)
    sources_[i].actor = spawn_pinned<sourcing_state>(
        self_->system(), context_.loop, std::ref(context_), std::ref(js_),
        sourcing_start{name_, i, origins[i], config().mirror.has_value(),
                       sources_[i].stored > 0 ? sources_[i].stored + 1 : 0, stream_actor{self_},
                       sources_[i].status});
}

void stream_state::end_sources() {
  ++sources_epoch_;
  for (auto& s : sources_) caf::anon_send(s.actor, end_atom::value);
  sources_.clear();
}

/// The last sequence of the origin that is stored; 0: none.
uint64_t stream_state::stored_of(store_snapshot& in, const std::string& source) const {
  if (config().mirror) return in.state().last_seq;
  auto row = in.consumer(progress_row_name(source));
  if (!row || !*row) return 0;
  uint64_t seq = 0;
  std::from_chars((*row)->data(), (*row)->data() + (*row)->size(), seq);
  return seq;
}

/// Only what follows what came before: after a failure nothing that was on its way counts.
void stream_state::take_sourced(const sourced_ptr& messages) {
  if (messages->source >= sources_.size() || phase_ != phase::open) return;
  auto& part = sources_[messages->source];
  if (messages->sender != part.actor.address() || messages->previous != part.expected) return;
  part.expected = messages->last;
  part.waiting.push_back(messages);
  propose_sourced(messages->source);
}

/// One commit of each source at a time, so that what fails leaves no gap; it takes all that came
/// during the one before.
void stream_state::propose_sourced(size_t index) {
  auto& part = sources_[index];
  if (part.in_flight || part.waiting.empty()) return;
  part.in_flight = true;
  auto* batch = &open_batch();
  auto first = batch->proposals.size();
  std::vector<uint64_t> seqs;
  for (const auto& messages : part.waiting) {
    frame_reader frames{*messages->batch, messages->run};
    while (frames.next()) propose_one(part, frames.message(), *batch, seqs);
  }
  auto last = part.waiting.back()->last;
  part.waiting.clear();
  if (!config().mirror) {
    auto row = std::to_string(last);
    auto row_name = progress_row_name(part.name);
    batch->proposals.add(consumer_put_proposal{row_name, row});
  }
  batch->expect_end(
      [this, index, batch, first, last, seqs = std::move(seqs), epoch = sources_epoch_] {
        if (epoch == sources_epoch_) settle_sourced(index, *batch, first, seqs, last);
      });
}

void stream_state::propose_one(const source_part& part, const message_view& m, stream_batch& batch,
                               std::vector<uint64_t>& seqs) {
  auto at = read_ack_subject(m.reply);
  if (!at) return;
  std::string subject{m.subject};
  for (const auto& t : part.transforms)
    if (t.matches(m.subject)) {
      subject = t.apply(m.subject);
      break;
    }
  auto ttl = parse_message_ttl(find_header(m.headers(), "Nats-TTL")).value_or(ttl_none);
  if (!config().allow_msg_ttl) ttl = ttl_none;
  seqs.push_back(at->stream_seq);
  if (config().mirror) {
    restore_proposal p;
    p.seq = at->stream_seq;
    p.time_ns = at->time_ns;
    p.expires_ns = ttl > 0 ? at->time_ns + ttl : ttl;
    p.subject = subject;
    p.headers = m.headers();
    p.payload = m.payload();
    batch.proposals.add(p);
    return;
  }
  store_proposal p;
  auto headers = sourced_headers(m.headers(), source_header(part.name, at->stream_seq, m.subject));
  p.subject = subject;
  p.headers = headers;
  p.payload = m.payload();
  p.msg_id = find_header(m.headers(), "Nats-Msg-Id");
  p.ttl_ns = ttl;
  p.skip = config().retention == retention_policy::interest && !interest_.wanted(subject);
  p.wants_previous = republish_ && !p.skip && republish_->matches(p.subject);
  batch.proposals.add(p);
}

void stream_state::settle_sourced(size_t index, const stream_batch& batch, uint32_t first,
                                  const std::vector<uint64_t>& seqs, uint64_t last) {
  auto& part = sources_[index];
  part.in_flight = false;
  bool well = !batch.result.error;
  auto stored = well ? last : part.stored;
  for (size_t i = 0; well && i < seqs.size(); ++i) {
    if (batch.result.outcomes[first + i].error == store_errc::none) continue;
    // Discard new: it is tried again from here.
    well = false;
    stored = i == 0 ? part.stored : seqs[i - 1];
    if (!config().mirror) {
      auto row = std::to_string(stored);
      auto row_name = progress_row_name(part.name);
      open_batch().proposals.add(consumer_put_proposal{row_name, row});
    }
  }
  part.stored = stored;
  caf::anon_send(part.actor, stored_atom::value, part.stored, well);
  if (well) return propose_sourced(index);
  part.waiting.clear();
  part.expected = part.stored;
}

}  // namespace vagus

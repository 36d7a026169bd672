#include "actors/jetstream/rfc3339.hpp"
#include "actors/jetstream/stream.hpp"

#include <fmt/compile.h>

#include <iterator>

namespace vagus {

namespace {

std::optional<subject_transform> transform_of(const std::string& source,
                                              const std::string& destination) {
  auto made = subject_transform::make(source, destination);
  auto* transform = std::get_if<subject_transform>(&made);
  return transform ? std::optional{std::move(*transform)} : std::nullopt;
}

struct origin {
  std::string_view stream;
  uint64_t previous = 0;  ///< the subject's last sequence before
  bool headers_only = false;
};

using copy_buffer = fmt::basic_memory_buffer<char, 1024>;

/// Writes the copy of a stored message; returns the size of its headers.
int64_t write_copy(copy_buffer& to, const stored_message& m, const origin& from) {
  constexpr std::string_view header_start = "NATS/1.0\r\n";
  auto own = m.headers;
  if (own.size() >= 2) own.remove_suffix(2);  // the empty line
  if (own.empty()) own = header_start;
  to.clear();
  to.append(own.data(), own.data() + own.size());
  fmt::format_to(std::back_inserter(to),
                 FMT_COMPILE("Nats-Stream: {}\r\nNats-Subject: {}\r\nNats-Sequence: {}\r\n"
                             "Nats-Time-Stamp: {}\r\nNats-Last-Sequence: {}\r\n"),
                 from.stream, m.subject, m.seq, rfc3339(m.time_ns), from.previous);
  if (from.headers_only)
    fmt::format_to(std::back_inserter(to), FMT_COMPILE("Nats-Msg-Size: {}\r\n"), m.payload.size());
  to.append(std::string_view{"\r\n"});
  auto header_size = static_cast<int64_t>(to.size());
  if (!from.headers_only) to.append(m.payload.data(), m.payload.data() + m.payload.size());
  return header_size;
}

}  // namespace

/// The configuration was checked: what cannot be made does not come to here.
void stream_state::make_transforms() {
  const auto& in = config().subject_transform;
  const auto& out = config().republish;
  transform_ = in && !in->dest.empty() ? transform_of(in->src, in->dest) : std::nullopt;
  republish_ = out ? transform_of(out->src, out->dest) : std::nullopt;
}

/// Publishes copies of what the batch has stored, before anyone is told that it is stored (ADR-28).
void stream_state::republish(const stream_batch& batch) {
  const auto& result = batch.result;
  publishing out{context_};
  copy_buffer copy;
  auto send = [&](const stored_message& m, uint64_t previous) {
    if (!republish_->matches(m.subject)) return;
    auto size = write_copy(copy, m, {name_, previous, config().republish->headers_only});
    out.send(republish_->apply(m.subject), {}, {copy.data(), copy.size()}, size);
  };
  batch_reader in{batch.proposals.bytes()};
  proposal p;
  for (size_t at = 0; in.next(p); ++at) {
    const auto& o = result.outcomes[at];
    const auto* m = std::get_if<store_proposal>(&p);
    if (m == nullptr || !m->wants_previous || o.error != store_errc::none || o.duplicate) continue;
    send({o.seq, result.state.last_time_ns, ttl_none, m->subject, m->headers, m->payload},
         o.previous);
  }
  if (result.markers.empty()) return;
  auto snapshot = store_->read();
  if (!snapshot) return;
  for (const auto& marker : result.markers)
    if (auto m = (*snapshot)->message(marker.seq)) send(*m, marker.previous);
}

}  // namespace vagus

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
  constexpr std::string_view header_start = "NATS/1.0\r\n";
  const auto& result = batch.result;
  bool headers_only = config().republish->headers_only;
  publishing out{context_};
  fmt::basic_memory_buffer<char, 1024> copy;
  batch_reader in{batch.proposals.bytes()};
  proposal p;
  for (size_t at = 0; in.next(p); ++at) {
    const auto& o = result.outcomes[at];
    const auto* m = std::get_if<store_proposal>(&p);
    if (m == nullptr || !m->wants_previous || o.error != store_errc::none || o.duplicate) continue;
    if (!republish_->matches(m->subject)) continue;
    auto own = m->headers;
    if (own.size() >= 2) own.remove_suffix(2);  // the empty line
    if (own.empty()) own = header_start;
    copy.clear();
    copy.append(own.data(), own.data() + own.size());
    fmt::format_to(std::back_inserter(copy),
                   FMT_COMPILE("Nats-Stream: {}\r\nNats-Subject: {}\r\nNats-Sequence: {}\r\n"
                               "Nats-Time-Stamp: {}\r\nNats-Last-Sequence: {}\r\n"),
                   name_, m->subject, o.seq, rfc3339(result.state.last_time_ns), o.previous);
    if (headers_only)
      fmt::format_to(std::back_inserter(copy), FMT_COMPILE("Nats-Msg-Size: {}\r\n"),
                     m->payload.size());
    copy.append(std::string_view{"\r\n"});
    auto header_size = static_cast<int64_t>(copy.size());
    if (!headers_only) copy.append(m->payload.data(), m->payload.data() + m->payload.size());
    out.send(republish_->apply(m->subject), {}, {copy.data(), copy.size()}, header_size);
  }
}

}  // namespace vagus

#include "actors/connection/connection.hpp"
#include "net/log.hpp"
#include "net/protocol/frame_reader.hpp"
#include "net/protocol/redact.hpp"

namespace vagus {

namespace {

std::string_view verb(op kind, bool headers) {
  switch (kind) {
    case op::pub:
      return headers ? "HPUB" : "PUB";
    case op::sub:
      return "SUB";
    case op::unsub:
      return "UNSUB";
    case op::ping:
      return "PING";
    case op::pong:
      return "PONG";
    case op::connect:
      return "CONNECT";
    case op::info:
      return "INFO";
    default:
      return {};
  }
}

/// Cut to `max_traced_msg_len` bytes, if that is set.
std::string_view shortened(std::string_view payload, const options& opts) {
  auto limit = static_cast<size_t>(opts.max_traced_msg_len);
  return limit > 0 ? payload.substr(0, limit) : payload;
}

}  // namespace

void connection_state::trace_operation(const operation& o) const {
  auto word = verb(o.kind, o.header_size >= 0);
  if (word.empty()) return;
  auto args = o.kind == op::connect ? redact_secrets(o.args) : std::string{o.args};
  log_trace("{} - <<- [{}{}{}]", log_name(), word, args.empty() ? "" : " ", args);
  if (o.kind != op::pub) return;
  std::string_view payload{o.payload, static_cast<size_t>(o.size)};
  log_trace("{} - <<- MSG_PAYLOAD: [{}]", log_name(),
            quoted_text(shortened(payload, context_.current->opts)));
}

void connection_state::trace_line(std::string_view line) const {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  log_trace("{} - ->> [{}]", log_name(), line);
}

void connection_state::trace_frames(const frame_batch& batch, const frame_run& run) const {
  frame_reader frames{batch, run};
  while (frames.next()) {
    std::string_view frame{batch.frames()->data() + frames.begin(), frames.end() - frames.begin()};
    trace_line(frame.substr(0, frame.find('\r')));
  }
}

}  // namespace vagus

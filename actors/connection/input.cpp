#include "actors/connection/connection.hpp"
#include "actors/interest/rcu.hpp"
#include "net/log.hpp"
#include "net/subject.hpp"

#include <caf/actor_cast.hpp>

#include <cstring>

namespace vagus {

namespace {

constexpr size_t read_size = 64 * 1024;
/// Operations larger than this are read into a buffer of their own.
constexpr size_t large_operation = 32 * 1024;
constexpr size_t largest_read = 1024 * 1024;
/// Reads in a row, before other sockets get their turn.
constexpr int reads_per_turn = 4;

bool maybe_reserved(std::string_view subject) {
  return !subject.empty() && (subject[0] == '_' || subject[0] == '$');
}

}  // namespace

void connection_state::on_readable() {
  awaiting_readable_ = false;
  if (phase_ == phase::lingering) {
    discard_input();
    return;
  }
  try {
    for (int i = 0; i < reads_per_turn; ++i)
      if (!read_once()) break;
  } catch (const std::exception& e) {
    log_error("{} - closing after an internal error: {}", log_name(), e.what());
    close(closed_reason::protocol_violation, true);
  }
  write_out();
  continue_reading();
}

void connection_state::continue_reading() {
  if (phase_ == phase::closed || awaiting_readable_) return;
  bool parsing_waits = changes_unapplied() > 0 && rest_.size() > 0 && rest_.needed == 0;
  if (phase_ == phase::open && (reading_paused() || parsing_waits)) return;
  awaiting_readable_ = true;
  socket_->await_readable();
}

/// Chooses where the next bytes go: behind the rest of an operation, with room for all of it.
bool connection_state::prepare_room(buffer_ptr& into, size_t& filled) {
  filled = rest_.size();
  if (filled > 0 && rest_.needed > large_operation) {
    if (rest_.begin + rest_.needed < rest_.in->capacity()) {
      into = rest_.in;
      filled = rest_.end;
      return true;
    }
    into = buffer::make(
        std::max(std::min(rest_.needed * 8, largest_read), rest_.needed + read_size) + 1);
  } else {
    auto& shared = context_.read_buffer;
    if (!shared || !shared->unique() || shared->capacity() < read_size + filled + 1)
      shared = buffer::make(read_size + filled + 1);
    into = shared;
  }
  if (filled > 0) std::memcpy(into->data(), rest_.in->data() + rest_.begin, filled);
  return false;
}

/// Reads and processes once; true if there is probably more to read at once.
bool connection_state::read_once() {
  if (phase_ != phase::open || reading_paused()) return false;
  if (rest_.size() > 0 && rest_.needed == 0) return false;  // parsing waits for an answer
  buffer_ptr into;
  size_t filled = 0;
  bool in_place = prepare_room(into, filled);
  size_t room = into->capacity() - 1 - filled;
  auto result = socket_->read(into->data() + filled, room);
  if (result.state == io_result::kind::would_block) return false;
  if (result.state != io_result::kind::done) {
    close(result.state == io_result::kind::closed ? closed_reason::client_closed
                                                  : closed_reason::read_error,
          result.state == io_result::kind::failed);
    return false;
  }
  last_in_ = context_.loop_time;
  size_t begin = in_place ? rest_.begin : 0;
  rest_ = {std::move(into), begin, filled + result.bytes, rest_.needed};
  if (rest_.size() >= rest_.needed) process();
  return result.bytes == room;
}

/// Parses and acts on what is in rest_, and keeps what is left of it.
void connection_state::process() {
  auto in = std::move(rest_.in);
  const char* at = in->data() + rest_.begin;
  const char* end = in->data() + rest_.end;
  char kept = *end;
  *const_cast<char*>(end) = '\n';
  rest_ = {in, 0, 0, 0};
  size_t needed = 0;
  {
    snapshot_guard guard;
    operation o;
    while (at < end && phase_ == phase::open) {
      parse_operation(at, end, limits_, o);
      if (o.kind == op::incomplete) {
        needed = o.needed;
        break;
      }
      auto then = act(o);
      if (then != step::wait) at = o.next;
      if (then != step::go_on) break;
    }
    finish_routing();
  }
  *const_cast<char*>(end) = kept;
  send_changes();
  if (phase_ != phase::open) {
    rest_ = {};
    return;
  }
  keep_rest(at, end, needed);
}

void connection_state::keep_rest(const char* at, const char* end, size_t needed) {
  auto in = std::move(rest_.in);
  auto size = static_cast<size_t>(end - at);
  rest_ = {};
  if (size == 0) return;
  if (needed > large_operation || needed == 0) {
    // A large operation goes on arriving behind what is there; and what waits for an answer is
    // parsed where it is.
    auto begin = static_cast<size_t>(at - in->data());
    rest_ = {std::move(in), begin, begin + size, needed};
    return;
  }
  auto small = buffer::make(size + 1);
  std::memcpy(small->data(), at, size);
  rest_ = {std::move(small), 0, size, needed};
}

connection_state::step connection_state::act(const operation& o) {
  if (awaiting_verdict_) return step::wait;
  if (context_.tracing) trace_operation(o);
  if (!authenticated_ && o.kind != op::connect) {
    refuse("Authorization Violation", closed_reason::authentication_violation);
    return step::stop;
  }
  switch (o.kind) {
    case op::pub:
    case op::ping:
    case op::connect:
      // SUB and UNSUB take effect before anything that follows them.
      if (changes_unapplied() > 0) return step::wait;
      if (o.kind == op::pub)
        publish(o);
      else if (o.kind == op::ping)
        handle_ping();
      else
        handle_connect(o.args);
      return step::go_on;
    case op::sub:
      handle_sub(o);
      return step::go_on;
    case op::unsub:
      handle_unsub(o);
      return step::go_on;
    case op::pong:
      handle_pong();
      return step::go_on;
    case op::ignored:
      return step::go_on;
    case op::info:
      if (!is_json_object(o.args)) close(closed_reason::protocol_violation);
      return step::go_on;
    default:
      refuse_operation(o.kind);
      return step::stop;
  }
}

/// Closes for what is not an operation, as nats-server does: with an -ERR or without.
void connection_state::refuse_operation(op kind) {
  switch (kind) {
    case op::unknown:
      refuse("Unknown Protocol Operation", closed_reason::protocol_violation);
      break;
    case op::control_line_exceeded:
      refuse("maximum control line exceeded", closed_reason::max_control_line);
      break;
    case op::payload_exceeded:
      refuse("Maximum Payload Violation", closed_reason::max_payload);
      break;
    case op::client_error:
      close(closed_reason::parse_error);
      break;
    default:
      close(closed_reason::protocol_violation);
  }
}

void connection_state::publish(const operation& o) {
  auto body = static_cast<size_t>(o.size);
  routed_msgs_ += 1;
  routed_bytes_ += body;
  if (maybe_reserved(o.subject) || maybe_reserved(o.reply))
    if (reserved_subject(o)) return;
  if (client_.pedantic && !valid_literal_subject(o.subject)) send_error("Invalid Publish Subject");
  if (client_.verbose) send_ok();
  message_view message{o.subject, o.reply, {o.payload, body}, o.header_size, rest_.in.get()};
  if (context_.routes.publish(message, endpoint_.get()) == 0 && !o.reply.empty() &&
      client_.no_responders)
    answer_no_responders(message);
}

/// Servers keep some subjects for themselves; true if that was said.
bool connection_state::reserved_subject(const operation& o) {
  auto within = [](std::string_view subject, std::string_view prefix) {
    return subject.substr(0, prefix.size()) == prefix;
  };
  if (within(o.subject, "_GR_.") || within(o.subject, "$NRG.")) {
    send_error(fmt::format("Permissions Violation for Publish to \"{}\"", o.subject));
    return true;
  }
  if (within(o.reply, "_R_.") || within(o.reply, "_GR_.")) {
    send_error(fmt::format("Permissions Violation for Publish with Reply of \"{}\"", o.reply));
    return true;
  }
  return false;
}

void connection_state::answer_no_responders(const message_view& message) {
  auto sid = context_.routes.own_sid(message.reply, endpoint_.get());
  if (sid.empty()) return;
  std::string headers = "NATS/1.0 503\r\nNats-Subject: ";
  headers.append(message.subject).append("\r\n\r\n");
  finish_routing();  // what was published before is delivered before
  auto size = std::to_string(headers.size());
  std::string line = "HMSG ";
  line.append(message.reply).append(" ").append(sid).append(" ");
  line.append(size).append(" ").append(size).append("\r\n").append(headers).append("\r\n");
  send_line(line);
}

/// What this connection has published to itself so far must reach the subscriptions of this moment,
/// before they change.
void connection_state::settle_own_deliveries() {
  if (endpoint_->open[context_.loop.index()].batch) finish_routing();
}

/// Sends out what this read has published. Inside the snapshot_guard of the read.
void connection_state::finish_routing() {
  if (routed_msgs_ == 0) return;
  note_activity();
  traffic_counters::add(endpoint_->counters.in_msgs, routed_msgs_);
  traffic_counters::add(endpoint_->counters.in_bytes, routed_bytes_);
  routed_msgs_ = routed_bytes_ = 0;
  static thread_local std::vector<router::pressure> over;
  over.clear();
  auto high_water = context_.current->opts.max_pending / 16;
  auto own = context_.routes.flush(endpoint_.get(), context_.loop, high_water, over);
  if (own) {
    endpoint_->pending.fetch_add(static_cast<int64_t>(own->total()), std::memory_order_relaxed);
    take_delivery(*own);
  }
  if (!over.empty() && !context_.current->opts.no_fast_producer_stall) stall(over);
}

/// Waits for destinations that have more than enough to write, before anything else is read from
/// this producer: not at all long for one that has a little too much, longer the more it is, and
/// until it has drained once the whole process holds too much.
void connection_state::stall(const std::vector<router::pressure>& over) {
  const auto& opts = context_.current->opts;
  bool hard = context_.counters.pending.load(std::memory_order_relaxed) > 8 * opts.max_pending;
  traffic_counters::add(endpoint_->counters.stalls, 1);
  context_.counters.stalled_clients.fetch_add(1, std::memory_order_relaxed);
  for (const auto& p : over) {
    auto excess = p.pending * 16 / opts.max_pending;
    auto patience = hard || p.destination->lossless
                        ? std::chrono::duration_cast<std::chrono::milliseconds>(
                              opts.write_deadline + std::chrono::seconds{1})
                        : std::chrono::milliseconds{2 * excess};
    auto resume = [this] {
      if (--stalls_ == 0) resume_reading();
    };
    ++stalls_;
    self_
        ->request(caf::actor_cast<subscriber_actor>(p.destination->actor), patience,
                  drain_atom::value)
        .then([resume](bool) { resume(); }, [resume](const caf::error&) { resume(); });
  }
}

/// Goes on where reading or parsing had to wait for something that is there now.
void connection_state::resume_reading() {
  if (phase_ != phase::open || reading_paused()) return;
  if (rest_.size() > 0 && rest_.needed == 0 && changes_unapplied() == 0) process();
  if (phase_ == phase::open && !awaiting_readable_) on_readable();
}

void connection_state::discard_input() {
  char scrap[4096];
  for (int i = 0; i < 64; ++i) {
    auto result = socket_->read(scrap, sizeof scrap);
    if (result.state == io_result::kind::would_block) {
      continue_reading();
      return;
    }
    if (result.state != io_result::kind::done) {
      finish();
      return;
    }
  }
  continue_reading();
}

}  // namespace vagus

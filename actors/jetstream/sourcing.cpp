#include "actors/jetstream/sourcing.hpp"

#include "actors/jetstream/consumer_requests.hpp"
#include "actors/jetstream/json_output.hpp"
#include "actors/jetstream/publish_headers.hpp"
#include "actors/jetstream/source_header.hpp"
#include "actors/supervision.hpp"
#include "net/nuid.hpp"
#include "net/protocol/frame_reader.hpp"

#include <caf/send.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>

namespace vagus {

namespace {

using nlohmann::literals::operator""_json_pointer;

constexpr std::chrono::seconds heartbeat{1};
constexpr std::chrono::seconds patience{3};     ///< without any word from the origin
constexpr std::chrono::seconds retry_after{2};  ///< an error
constexpr std::chrono::seconds inactive_threshold{10};

/// The number in a header of a heartbeat.
uint64_t number_in(std::string_view headers, std::string_view name) {
  auto text = find_header(headers, name);
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

sourcing_state::sourcing_state(handle::pointer self, loop_context& context, jetstream_context& js,
                               sourcing_start start)
    : self_{self},
      context_{context},
      js_{js},
      start_{std::move(start)},
      client_{context, 0},
      inbox_{"_INBOX." + make_nuid()},
      stored_{start_.stored},
      identity_{start_.identity} {}

sourcing_state::~sourcing_state() {
  context_.deadlines.cancel(*this);
}

sourcing_actor::behavior_type sourcing_state::behavior() {
  supervise(self_);
  client_.start(subscriber_actor{sourcing_actor{self_}}, {.lossless = true});
  client_.subscribe(slot::answers, inbox_ + ".answer");
  const auto& external = start_.from.external;
  auto deliver = external && !external->deliver.empty() ? external->deliver + "." + make_nuid()
                                                        : inbox_ + ".messages";
  client_.subscribe(slot::messages, deliver);
  deliver_ = std::move(deliver);
  client_.send_changes();
  return {
      [this](const frame_batch_ptr& batch) { take(batch); },
      [this](applied_atom, uint64_t count) {
        client_.note_applied(count);
        if (client_.settled() && epoch_ == 0) begin();
      },
      [this](retired_atom) { self_->quit(); },
      [](drain_atom) { return true; },
      [this](stored_atom, uint64_t up_to, const std::string& identity, bool stored) {
        note_stored(up_to, identity, stored);
      },
      [this](end_atom) {
        ended_ = true;
        context_.deadlines.cancel(*this);
        client_.withdraw();
        start_.owner = nullptr;
      },
  };
}

// ---- the consumer at the origin ----

std::string sourcing_state::api_prefix() const {
  const auto& external = start_.from.external;
  return external && !external->api.empty() ? external->api : "$JS.API";
}

std::string sourcing_state::consumer_request_body() const {
  const auto& from = start_.from;
  std::string body;
  json_output json{body};
  json.begin('{');
  json("stream_name", from.name, when::always);
  json.key("config");
  json.begin('{');
  json("name", consumer_, when::always);
  json("deliver_subject", deliver_, when::always);
  auto start = start_of(from, stored_);
  if (start.seq > 0) {
    json("deliver_policy", std::string_view{"by_start_sequence"}, when::always);
    json("opt_start_seq", start.seq, when::always);
  } else if (start.time) {
    json("deliver_policy", std::string_view{"by_start_time"}, when::always);
    json.time("opt_start_time", start.time, when::always);
  } else {
    json("deliver_policy", std::string_view{"all"}, when::always);
  }
  json("ack_policy", std::string_view{"none"}, when::always);
  json("max_deliver", int64_t{1}, when::always);
  json("flow_control", true, when::always);
  json("mem_storage", true, when::always);
  json("num_replicas", int64_t{1}, when::always);
  json("direct", true, when::always);
  json.duration("idle_heartbeat", std::chrono::nanoseconds{heartbeat}.count(), when::always);
  json.duration("inactive_threshold", std::chrono::nanoseconds{inactive_threshold}.count(),
                when::always);
  json("filter_subject", from.filter_subject, when::not_empty);
  std::vector<std::string> filters;
  for (const auto& t : from.subject_transforms)
    filters.push_back(t.src.empty() ? std::string{">"} : t.src);
  if (filters.size() == 1) json("filter_subject", filters[0], when::always);
  if (filters.size() > 1) json("filter_subjects", filters, when::always);
  json.end('}');
  json.end('}');
  return body;
}

/// Requests the consumer. The answer to one that knows the origin tells if it is still the same.
void sourcing_state::ask(std::string_view body) {
  auto subject = fmt::format("{}.CONSUMER.CREATE.{}.{}", api_prefix(), start_.from.name, consumer_);
  auto headers = identity_.empty()
                     ? std::string{}
                     : fmt::format("NATS/1.0\r\n{}: {}\r\n\r\n", stream_identity_header, identity_);
  auto size = headers.empty() ? int64_t{-1} : static_cast<int64_t>(headers.size());
  if (publishing{context_}.send(subject, inbox_ + ".answer", headers.append(body), size) == 0)
    return begin_again(retry_after);
  context_.deadlines.schedule(*this, self_->clock().now() + patience);
}

void sourcing_state::begin() {
  if (std::exchange(anew_, false)) {
    stored_ = 0;
    identity_.clear();
  }
  ++epoch_;
  created_ = waits_ = false;
  next_delivery_ = 1;
  handed_over_ = stored_;
  flow_.reset();
  consumer_ = make_nuid().substr(0, 8);
  ask(consumer_request_body());
}

/// What it had not stored comes again; until then nothing counts.
void sourcing_state::begin_again(std::chrono::nanoseconds after) {
  waits_ = true;
  epoch_ = std::max<uint64_t>(epoch_, 1);
  context_.deadlines.schedule(*this, self_->clock().now() + after);
}

void sourcing_state::on_time(time_point) {
  if (ended_) return;
  if (created_)
    publishing{context_}.send(
        fmt::format("{}.CONSUMER.DELETE.{}.{}", api_prefix(), start_.from.name, consumer_), {}, {});
  begin();
}

void sourcing_state::take_answer(const message_view& message) {
  auto json = nlohmann::json::parse(message.payload(), nullptr, false);
  if (!json.is_object()) return begin_again(retry_after);  // no responders
  if (auto error = json.find("error"); error != json.end()) {
    auto what = error->value("err_code", 0);
    if (what == static_cast<int>(js_errc::consumer_stream_identity_mismatch)) {
      anew_ = true;
      return begin_again({});
    }
    api_error why;
    why.code = error->value("code", 0);
    why.err_code = what;
    why.description = error->value("description", std::string{});
    start_.status->put(std::move(why));
    return begin_again(retry_after);
  }
  if (json.value("name", std::string{}) != consumer_) return;
  start_.status->put({});
  start_.status->heard_ns = context_.wall_now(self_->clock().now());
  created_ = true;
  if (!start_.mirror) identity_ = find_header(message.headers(), stream_identity_header);
  // Messages may have overtaken it, and know better.
  if (next_delivery_ == 1)
    pending_ = json.value("num_pending", uint64_t{0}) +
               json.value("/delivered/consumer_seq"_json_pointer, uint64_t{0});
  note_behind();
}

// ---- what comes from it ----

void sourcing_state::take(const frame_batch_ptr& batch) {
  client_.take(*batch);
  if (!ended_) {
    for (const auto& run : batch->runs()) {
      if (run.slot == slot::answers) {
        frame_reader frames{*batch, run};
        while (frames.next()) take_answer(frames.message());
      } else {
        take_messages(batch, run);
      }
    }
  }
  client_.release(batch->total());
}

void sourcing_state::take_messages(const frame_batch_ptr& batch, const frame_run& run) {
  frame_reader frames{*batch, run};
  uint64_t last = 0;
  while (!waits_ && frames.next()) {
    const auto& m = frames.message();
    auto at = read_ack_subject(m.reply);
    if (!at) {
      take_status(m);
      continue;
    }
    if (at->consumer != consumer_) continue;  // an earlier one
    if (at->consumer_seq != next_delivery_) return begin_again({});
    ++next_delivery_;
    last = at->stream_seq;
    pending_ = at->pending;
  }
  start_.status->heard_ns = context_.wall_now(self_->clock().now());
  if (waits_) return;
  context_.deadlines.schedule(*this, self_->clock().now() + patience);
  if (last == 0) return;
  auto sourced = std::make_shared<sourced_messages>();
  sourced->source = start_.source;
  sourced->sender = self_->address();
  sourced->previous = std::exchange(handed_over_, last);
  sourced->batch = batch;
  sourced->run = run;
  sourced->last = last;
  sourced->identity = identity_;
  caf::anon_send(start_.owner, sourced_atom::value, sourced_ptr{std::move(sourced)});
}

void sourcing_state::take_status(const message_view& m) {
  if (!m.headers().starts_with("NATS/1.0 100")) return;
  if (!m.reply.empty()) {
    flow_ = flow_request{std::string{m.reply}, handed_over_};
    return answer_flow();
  }
  if (number_in(m.headers(), "Nats-Last-Consumer") + 1 > next_delivery_) return begin_again({});
  if (auto stalled = find_header(m.headers(), "Nats-Consumer-Stalled"); !stalled.empty()) {
    flow_ = flow_request{std::string{stalled}, handed_over_};
    answer_flow();
  }
}

// ---- what the stream has stored ----

/// What came of an origin that is another one now does not count.
void sourcing_state::note_stored(uint64_t up_to, const std::string& identity, bool stored) {
  if (identity == identity_) stored_ = std::max(stored_, up_to);
  if (ended_) return;
  if (created_) note_behind();
  if (!stored) return begin_again(retry_after);
  answer_flow();
}

void sourcing_state::note_behind() {
  auto on_the_way = handed_over_ > stored_ ? handed_over_ - stored_ : 0;
  start_.status->behind = pending_ + on_the_way;
  if (pending_ + on_the_way > 0 || std::exchange(caught_up_, true)) return;
  caf::anon_send(start_.owner, following_atom::value);
}

void sourcing_state::answer_flow() {
  if (!flow_ || stored_ < flow_->after) return;
  publishing{context_}.send(flow_->reply, {}, {});
  flow_.reset();
}

}  // namespace vagus

#include "actors/jetstream/direct_batch.hpp"

#include "actors/jetstream/json_text.hpp"
#include "actors/jetstream/rfc3339.hpp"

#include <fmt/compile.h>

#include <algorithm>
#include <iterator>

namespace vagus {

namespace {

/// nats-server's bound for `multi_last`.
constexpr size_t max_subjects = 1024;
constexpr std::string_view header_start = "NATS/1.0\r\n";

}  // namespace

void direct_answer::make(std::string_view stream, const stored_message& m, std::string_view more) {
  text_.clear();
  auto own = m.headers;
  if (own.size() >= 2) own.remove_suffix(2);  // the empty line
  if (own.empty()) own = header_start;
  text_.append(own.data(), own.data() + own.size());
  fmt::format_to(std::back_inserter(text_),
                 FMT_COMPILE("Nats-Stream: {}\r\nNats-Subject: {}\r\nNats-Sequence: {}\r\n"
                             "Nats-Time-Stamp: {}\r\n{}\r\n"),
                 stream, m.subject, m.seq, rfc3339(m.time_ns), more);
  header_size_ = static_cast<int64_t>(text_.size());
  if (!m.payload.empty()) text_.append(m.payload.data(), m.payload.data() + m.payload.size());
}

void direct_answer::status(std::string_view status, std::string_view more) {
  text_.clear();
  fmt::format_to(std::back_inserter(text_), "NATS/1.0 {}\r\n{}\r\n", status, more);
  header_size_ = static_cast<int64_t>(text_.size());
}

direct_batch::direct_batch(std::string stream, std::string reply, msg_get_request request,
                           int64_t max_bytes)
    : stream_{std::move(stream)},
      reply_{std::move(reply)},
      request_{std::move(request)},
      multi_{!request_.multi_last.empty()},
      left_{request_.batch},
      bytes_left_{request_.max_bytes > 0 ? std::min(request_.max_bytes, max_bytes) : max_bytes} {
  if (multi_ && left_ == 0) left_ = INT64_MAX;
}

bool direct_batch::refuse(const sink& send, std::string_view status) {
  answer_.status(status);
  send(reply_, answer_);
  return false;
}

/// Everything that must be known before the first message is sent. False: it is answered.
bool direct_batch::start(store_snapshot& from, const sink& send) {
  started_ = true;
  if (multi_) return start_multi(from, send);
  from_ = std::max(request_.seq, from.state().first_seq);
  if (request_.start_time) {
    auto first = from.seq_at_time(*request_.start_time);
    if (!first || *first == 0) return refuse(send, "404 Message Not Found");
    from_ = *first;
  }
  auto count = from.count(request_.next_by_subj, from_);
  if (!count || *count == 0) return refuse(send, "404 Message Not Found");
  pending_ = *count;
  return true;
}

bool direct_batch::start_multi(store_snapshot& from, const sink& send) {
  if (request_.up_to_time) {
    auto after = from.seq_at_time(*request_.up_to_time);
    if (!after) return refuse(send, "404 No Results");
    request_.up_to_seq = *after == 0 ? from.state().last_seq : *after - 1;
    if (request_.up_to_seq == 0) return refuse(send, "404 No Results");
  }
  if (request_.up_to_seq == 0) request_.up_to_seq = from.state().last_seq;
  for (const auto& filter : request_.multi_last) {
    auto found = from.last_per_subject(filter, request_.up_to_seq);
    if (found) seqs_.insert(seqs_.end(), found->begin(), found->end());
  }
  std::sort(seqs_.begin(), seqs_.end());
  seqs_.erase(std::unique(seqs_.begin(), seqs_.end()), seqs_.end());
  if (seqs_.size() > max_subjects) return refuse(send, "413 Too Many Results");
  std::erase_if(seqs_, [&](uint64_t seq) { return seq < request_.seq; });
  if (seqs_.empty()) return refuse(send, "404 No Results");
  pending_ = seqs_.size();
  exhausted_ = true;
  return true;
}

void direct_batch::fill(store_snapshot& from, size_t at_most) {
  seqs_.clear();
  next_ = 0;
  auto found = from.next(request_.next_by_subj, from_, at_most);
  if (found) seqs_ = std::move(*found);
  if (seqs_.empty())
    exhausted_ = true;
  else
    from_ = seqs_.back() + 1;
}

bool direct_batch::run(store_snapshot& from, size_t at_most, const sink& send) {
  if (!started_ && !start(from, send)) return false;
  for (size_t sent = 0; left_ > 0 && bytes_left_ > 0;) {
    if (sent == at_most) return true;
    if (next_ == seqs_.size()) {
      if (exhausted_) break;
      fill(from, at_most - sent);
      continue;
    }
    auto m = from.message(seqs_[next_++]);
    if (!m) continue;  // deleted since the sequences were looked up
    pending_ -= pending_ > 0 ? 1 : 0;
    fmt::basic_memory_buffer<char, 96> more;
    fmt::format_to(std::back_inserter(more),
                   FMT_COMPILE("Nats-Num-Pending: {}\r\nNats-Last-Sequence: {}\r\n"), pending_,
                   last_);
    answer_.make(stream_, *m, {more.data(), more.size()});
    last_ = m->seq;
    bytes_left_ -= static_cast<int64_t>(answer_.body().size());
    --left_;
    ++sent;
    send(reply_, answer_);
  }
  finish(send);
  return false;
}

void direct_batch::finish(const sink& send) {
  auto more = fmt::format("Nats-Num-Pending: {}\r\nNats-Last-Sequence: {}\r\n", pending_, last_);
  if (multi_) more += fmt::format("Nats-UpTo-Sequence: {}\r\n", request_.up_to_seq);
  answer_.status("204 EOB", more);
  send(reply_, answer_);
}

}  // namespace vagus

#include "actors/jetstream/message_lookup.hpp"

namespace vagus {

namespace {

store_result<uint64_t> find_seq(store_snapshot& in, const msg_get_request& request) {
  if (!request.last_by_subj.empty()) return in.last(request.last_by_subj);
  auto from = request.seq;
  if (request.start_time) {
    auto first = in.seq_at_time(*request.start_time);
    if (!first || *first == 0) return first;
    from = *first;
  }
  if (request.next_by_subj.empty()) return from;
  auto found = in.next(request.next_by_subj, from, 1);
  if (!found) return found.error();
  return found->empty() ? 0 : found->front();
}

}  // namespace

store_result<stored_message> find_message(store_snapshot& in, const msg_get_request& request) {
  auto seq = find_seq(in, request);
  if (!seq) return seq.error();
  if (*seq == 0) return store_error{store_errc::no_message, 0, {}};
  return in.message(*seq);
}

}  // namespace vagus

#include "storage/message_store.hpp"

namespace vagus {

bool store_snapshot::find_next(uint64_t seq, stored_head& head, store_error& error) {
  auto at = first_at_or_after(seq);
  if (at && *at != 0) return find(*at, head, error);
  error = at ? store_error{store_errc::no_message, seq, {}} : at.error();
  return false;
}

store_result<stored_head> store_snapshot::head(uint64_t seq) {
  stored_head head;
  store_error error;
  if (!find(seq, head, error)) return error;
  return head;
}

store_result<stored_head> store_snapshot::next_head(uint64_t seq) {
  stored_head head;
  store_error error;
  if (!find_next(seq, head, error)) return error;
  return head;
}

store_result<stored_message> store_snapshot::unpack(const stored_head& head) {
  if (auto m = opener_.open(head)) return *m;
  return store_error{store_errc::corrupt, head.seq, "message: it cannot be unpacked"};
}

store_result<uint64_t> store_snapshot::seq_at_time(int64_t time_ns) {
  auto low = state().first_seq;
  auto high = state().last_seq + 1;
  while (low < high) {
    auto middle = low + (high - low) / 2;
    auto seq = first_at_or_after(middle);
    if (!seq) return seq.error();
    if (*seq == 0 || *seq >= high) {
      high = middle;
      continue;
    }
    auto m = head(*seq);
    if (!m) return m.error();
    if (m->time_ns >= time_ns) {
      high = middle;
    } else {
      low = *seq + 1;
    }
  }
  return first_at_or_after(low);
}

store_result<std::vector<seq_range>> store_snapshot::deleted(uint64_t from, size_t at_most) {
  std::vector<seq_range> gaps;
  auto expected = std::max({from, state().first_seq, uint64_t{1}});
  while (gaps.size() < at_most && expected <= state().last_seq) {
    auto seq = first_at_or_after(expected);
    if (!seq) return seq.error();
    auto end = *seq == 0 ? state().last_seq + 1 : *seq;
    if (end > expected) gaps.push_back({expected, end - 1});
    expected = end + 1;
  }
  return gaps;
}

}  // namespace vagus

#include "actors/jetstream/message_feed.hpp"

#include <algorithm>
#include <iterator>

namespace vagus {

namespace {

/// Sequences that one look at the index brings.
constexpr size_t found_ahead = 512;
/// Sequences that are looked up one by one to count them.
constexpr size_t looked_up = 1024;

/// Grows with every message that is removed.
uint64_t missing_in(const store_state& state) {
  return state.last_seq - state.msgs;
}

}  // namespace

message_feed::message_feed(std::vector<std::string> filters, uint64_t last_of_each)
    : last_of_each_{last_of_each} {
  set_filters(std::move(filters));
}

void message_feed::set_filters(std::vector<std::string> filters) {
  filters_ = std::move(filters);
  if (std::any_of(filters_.begin(), filters_.end(), [](const auto& f) { return takes_all(f); }))
    filters_.clear();
  tracks_.clear();
  for (const auto& f : filters_) tracks_.push_back({f, {}, 0, 0});
}

void message_feed::set_lasts(const last_messages& lasts) {
  missing_ = missing_in(lasts.state);
  if (!lasts_) {
    lasts_ = lasts.seqs;
    return;
  }
  // An older message of a subject may have become its last, but was none when the consumer began.
  auto left = std::make_shared<std::vector<uint64_t>>();
  std::set_intersection(lasts_->begin(), lasts_->end(), lasts.seqs->begin(), lasts.seqs->end(),
                        std::back_inserter(*left));
  std::erase_if(gone_lasts_,
                [&](uint64_t seq) { return !std::binary_search(left->begin(), left->end(), seq); });
  lasts_ = std::move(left);
}

bool message_feed::takes(std::string_view subject) const {
  return filters_.empty() || std::any_of(filters_.begin(), filters_.end(),
                                         [&](const auto& f) { return filter_matches(f, subject); });
}

store_result<uint64_t> message_feed::next_of(track& t, store_snapshot& in, uint64_t from) {
  while (t.at < t.found.size() && t.found[t.at] < from) ++t.at;
  if (t.at < t.found.size()) return t.found[t.at];
  auto start = std::max(from, t.searched_to);
  if (start > in.state().last_seq) return uint64_t{0};
  auto more = in.next(t.filter, start, found_ahead);
  if (!more) return more.error();
  t.found = std::move(*more);
  t.at = 0;
  // The search ends early only where it has found something.
  t.searched_to = t.found.empty() ? in.state().last_seq + 1 : t.found.back() + 1;
  return t.found.empty() ? uint64_t{0} : t.found[0];
}

store_result<uint64_t> message_feed::next_seq(store_snapshot& in, uint64_t from) {
  if (from <= last_of_each_ && lasts_) {
    auto at = std::lower_bound(lasts_->begin(), lasts_->end(), from);
    if (at != lasts_->end()) return *at;
    from = last_of_each_ + 1;
  }
  uint64_t first = 0;
  for (auto& t : tracks_) {
    auto seq = next_of(t, in, from);
    if (!seq) return seq;
    if (*seq != 0 && (first == 0 || *seq < first)) first = *seq;
  }
  return first;
}

/// Where a filter lets much through, to look at the messages themselves is cheaper than the index.
/// False: not worth it any more; `from` is where the search goes on.
bool message_feed::walk(store_snapshot& in, uint64_t& from, store_result<stored_message>& found) {
  constexpr size_t worth_it = 16;
  for (size_t n = 0; n < worth_it; ++n) {
    auto head = in.next_head(from);
    if (!head || takes(head->subject)) {
      found = head ? in.open(*head) : store_result<stored_message>{head.error()};
      return true;
    }
    from = head->seq + 1;
  }
  dense_ = false;
  close_ = 0;
  return false;
}

/// Enough messages close to each other: it is worth a walk again.
void message_feed::note_distance(uint64_t distance) {
  constexpr uint64_t close_by = 8;
  constexpr size_t enough = 32;
  close_ = distance < close_by ? close_ + 1 : 0;
  if (close_ >= enough) dense_ = true;
}

store_result<stored_message> message_feed::next(store_snapshot& in, uint64_t from) {
  const store_error none{store_errc::no_message, 0, {}};
  if (dense_ && !filters_.empty() && from > last_of_each_) {
    store_result<stored_message> found = none;
    if (from > in.state().last_seq || walk(in, from, found)) return found;
  }
  if (filters_.empty() && from > last_of_each_)
    return from > in.state().last_seq ? store_result<stored_message>{none} : in.next_message(from);
  for (;;) {
    if (filters_.empty() && from > last_of_each_) return in.next_message(from);
    auto seq = next_seq(in, from);
    if (!seq) return seq.error();
    if (*seq == 0) {
      if (!filters_.empty() || from > last_of_each_) return none;
      from = last_of_each_ + 1;
      continue;
    }
    note_distance(*seq - from);
    auto m = in.message(*seq);
    if (m || m.error().code != store_errc::no_message) return m;
    from = *seq + 1;  // gone since it was found
  }
}

bool message_feed::forget(uint64_t seq) {
  return seq > last_of_each_ || !lasts_ || forget_last(seq);
}

bool message_feed::forget_last(uint64_t seq) {
  return lasts_ && std::binary_search(lasts_->begin(), lasts_->end(), seq) &&
         gone_lasts_.insert(seq).second;
}

size_t message_feed::listed(uint64_t from) const {
  if (from > last_of_each_ || !lasts_) return 0;
  auto first = std::lower_bound(lasts_->begin(), lasts_->end(), from);
  return static_cast<size_t>(std::distance(first, lasts_->end()));
}

bool message_feed::lasts_in_doubt(const store_state& state, uint64_t from) const {
  return missing_in(state) != missing_ && listed(from) > looked_up;
}

/// Who was not told of removals looks where that is soon done.
store_result<uint64_t> message_feed::count_lasts(store_snapshot& in, uint64_t from) const {
  if (auto all = listed(from); all > looked_up)
    return all -
           static_cast<size_t>(std::distance(gone_lasts_.lower_bound(from), gone_lasts_.end()));
  uint64_t sum = 0;
  for (auto at = std::lower_bound(lasts_->begin(), lasts_->end(), from); at != lasts_->end();
       ++at) {
    auto seq = in.first_at_or_after(*at);
    if (!seq) return seq;
    if (*seq == *at) ++sum;
  }
  return sum;
}

store_result<uint64_t> message_feed::count(store_snapshot& in, uint64_t from) const {
  uint64_t sum = 0;
  if (from <= last_of_each_ && lasts_) {
    auto n = count_lasts(in, from);
    if (!n) return n;
    sum = *n;
    from = last_of_each_ + 1;
  }
  if (filters_.empty()) {
    auto n = in.count({}, from);
    if (!n) return n;
    return sum + *n;
  }
  for (const auto& f : filters_) {
    auto n = in.count(f, from);
    if (!n) return n;
    sum += *n;
  }
  return sum;
}

namespace {

/// The first message that one of the filters lets through; 0: there is none, or no filter.
store_result<uint64_t> first_match(const std::vector<std::string>& filters, store_snapshot& in) {
  uint64_t first = 0;
  for (const auto& f : filters) {
    auto some = in.next(f, 1, 1);
    if (!some) return some.error();
    if (!some->empty()) first = first == 0 ? some->front() : std::min(first, some->front());
  }
  return first;
}

}  // namespace

store_result<consumer_place> first_place(const consumer_config& config, bool one_per_subject,
                                         store_snapshot& in) {
  const auto& state = in.state();
  consumer_place place;
  place.next_seq = std::max<uint64_t>(state.first_seq, 1);
  auto after_last = state.last_seq + 1;
  switch (config.deliver_policy) {
    case deliver_policy::all:
      break;
    case deliver_policy::new_msgs:
      place.next_seq = after_last;
      break;
    case deliver_policy::last: {
      uint64_t last = 0;
      auto filters = config.filters();
      if (filters.empty()) filters.emplace_back();
      for (const auto& f : filters) {
        auto seq = in.last(f);
        if (!seq) return seq.error();
        last = std::max(last, *seq);
      }
      if (last != 0) place.next_seq = last;
      break;
    }
    case deliver_policy::last_per_subject:
      // Where every subject has one message, that is the last one.
      if (one_per_subject) break;
      if (state.msgs != state.num_subjects) {
        place.last_of_each = state.last_seq;
      } else if (state.msgs > 0) {
        auto seq = first_match(config.filters(), in);
        if (!seq) return seq.error();
        place.next_seq = *seq == 0 ? state.last_seq : *seq;
      }
      break;
    case deliver_policy::by_start_sequence:
      // It may lie ahead of all that is there; but one for a copy begins with what comes next.
      place.next_seq = std::max(config.opt_start_seq, place.next_seq);
      if (config.direct) place.next_seq = std::clamp(place.next_seq, uint64_t{1}, after_last);
      break;
    case deliver_policy::by_start_time: {
      auto seq = in.seq_at_time(config.opt_start_time.value_or(0));
      if (!seq) return seq.error();
      place.next_seq = *seq == 0 ? after_last : *seq;
      auto match = first_match(config.filters(), in);
      if (!match) return match.error();
      if (*match < state.last_seq) place.next_seq = std::max(place.next_seq, *match);
      break;
    }
  }
  return place;
}

store_result<std::vector<uint64_t>> find_lasts(const std::vector<std::string>& filters,
                                               store_snapshot& in, uint64_t up_to) {
  std::vector<uint64_t> all;
  for (const auto& f : filters) {
    auto some = in.last_per_subject(f, up_to);
    if (!some) return some.error();
    all.insert(all.end(), some->begin(), some->end());
  }
  if (filters.empty()) return in.last_per_subject({}, up_to);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace vagus

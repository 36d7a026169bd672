#include "actors/router.hpp"

#include "actors/messages.hpp"
#include "net/event_loop.hpp"

#include <caf/mailbox_element.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

namespace vagus {

namespace {

/// Tries to find a queue member that is neither gone nor full, before one that is not gone will do.
constexpr size_t choices = 4;

/// Short texts are compared without a call.
inline bool same_text(std::string_view a, std::string_view b) {
  size_t n = a.size();
  if (n != b.size()) return false;
  auto word = [](const char* at) {
    uint64_t w;
    std::memcpy(&w, at, sizeof w);
    return w;
  };
  if (n > 32) return std::memcmp(a.data(), b.data(), n) == 0;
  if (n < 8) {
    for (size_t i = 0; i < n; ++i)
      if (a[i] != b[i]) return false;
    return true;
  }
  for (size_t i = 0; i + 8 <= n; i += 8)
    if (word(a.data() + i) != word(b.data() + i)) return false;
  return word(a.data() + n - 8) == word(b.data() + n - 8);
}

void bump(std::atomic<uint64_t>& counter) {
  traffic_counters::add(counter, 1);
}

bool hardly_comes_again(std::string_view subject) {
  // The first byte, as most subjects begin with another: a comparison of texts is a call.
  if (subject.empty() || (subject[0] != '_' && subject[0] != '$')) return false;
  return subject.starts_with("_INBOX.") || subject.starts_with("$JS.ACK.");
}

}  // namespace

struct router::entry {
  uint64_t changes = 0;  ///< of the interest when the stamp was last seen to hold
  interest::stamp stamp;
  std::string subject;
  match_result result;
};

/// The hashes stand together, so that a miss touches one cache line.
struct router::cache_set {
  std::array<uint64_t, cache_ways> hashes{};
  std::array<std::unique_ptr<entry>, cache_ways> entries;
};

router::router(const interest& from, size_t loop_index)
    : interest_{from}, loop_index_{loop_index}, cache_(cache_sets) {
  std::random_device seed;
  random_state_ = (uint64_t{seed()} << 32 | seed()) | 1;
}

router::~router() = default;

uint64_t router::random() {
  // xorshift64: good enough to spread load, and cheap
  random_state_ ^= random_state_ << 13;
  random_state_ ^= random_state_ >> 7;
  random_state_ ^= random_state_ << 17;
  return random_state_;
}

router::entry& router::find_or_fill(std::string_view subject, uint64_t hash) {
  auto& set = cache_[(hash >> 20) % cache_sets];
  size_t way = 0;
  while (way < cache_ways && !(set.hashes[way] == hash && set.entries[way] &&
                               same_text(set.entries[way]->subject, subject)))
    ++way;
  auto changes = interest_.changes();
  if (way < cache_ways) {
    auto& e = *set.entries[way];
    if (e.changes == changes || interest_.holds(e.stamp)) {
      e.changes = changes;
      bump(stats_.cache_hits);
      return e;
    }
  } else {
    for (way = 0; way < cache_ways && set.entries[way];) ++way;
    if (way == cache_ways) way = random() % cache_ways;
  }
  auto& e = set.entries[way];
  if (!e) {
    e = std::make_unique<entry>();
    bump(stats_.cached);
  }
  set.hashes[way] = hash;
  e->subject = subject;
  e->changes = changes;
  e->stamp = interest_.take_stamp(subject, hash);
  interest_.match(subject, hash, e->result);
  bump(stats_.matches);
  auto fanout = e->result.plain.size();
  for (const auto& group : e->result.queues) fanout += group.members.size();
  traffic_counters::add(stats_.fanout, fanout);
  if (fanout > stats_.max_fanout.load(std::memory_order_relaxed))
    stats_.max_fanout.store(fanout, std::memory_order_relaxed);
  return *e;
}

/// Replies go to subjects that hardly ever come again ("_INBOX.<unique>", by convention of all
/// clients), and so do acknowledgements: in the cache they would only displace what does.
const match_result& router::lookup(std::string_view subject) {
  if (hardly_comes_again(subject)) {
    auto changes = interest_.changes();
    if (passing_changes_ == changes && same_text(passing_subject_, subject)) return passing_;
    bump(stats_.matches);
    passing_subject_ = subject;
    passing_changes_ = changes;
    interest_.match(subject, interest::hash_of(subject), passing_);
    return passing_;
  }
  if (last_ == nullptr || last_->changes != interest_.changes() ||
      !same_text(last_->subject, subject))
    last_ = &find_or_fill(subject, interest::hash_of(subject));
  return last_->result;
}

bool router::deliver(const message_view& message, const subscriber& to, const endpoint* self,
                     uint32_t queue) {
  auto* destination = to.destination.load(std::memory_order_acquire);
  if (destination == nullptr || destination->closing.load(std::memory_order_relaxed)) return false;
  if (destination == self && !self->echo.load(std::memory_order_relaxed)) return false;
  auto& open = destination->open[loop_index_];
  if (!open.batch) {
    open.batch = frame_batch_ptr{new frame_batch{open.expected}};
    touched_.push_back(destination);
  }
  open.batch->append(message, {to.sid(), to.slot, to.generation, queue,
                               destination->headers.load(std::memory_order_relaxed)});
  return true;
}

/// Of a group with members for each loop, one of this loop's; null if it has none.
const subscriber* router::local_member(const queue_match& group) {
  const subscriber* chosen = nullptr;
  size_t found = 0;
  for (const auto* member : group.members) {
    auto* destination = member->destination.load(std::memory_order_acquire);
    if (destination == nullptr || destination->serves_loop < 0) return nullptr;
    if (static_cast<size_t>(destination->serves_loop) == loop_index_ &&
        !destination->closing.load(std::memory_order_relaxed))
      if (++found == 1 || random() % found == 0) chosen = member;
  }
  return chosen;
}

const subscriber* router::choose(const queue_match& group, const endpoint* self) {
  size_t n = group.members.size();
  if (n == 0) return nullptr;
  if (const auto* local = local_member(group)) return local;
  size_t start = n == 1 ? 0 : random() % n;
  for (size_t i = 0; i < n; ++i) {
    const auto* member = group.members[start + i < n ? start + i : start + i - n];
    auto* destination = member->destination.load(std::memory_order_acquire);
    if (destination == nullptr || destination->closing.load(std::memory_order_relaxed)) continue;
    if (destination == self && !self->echo.load(std::memory_order_relaxed)) continue;
    return member;
  }
  return nullptr;
}

size_t router::publish(const message_view& message, const endpoint* self) {
  const auto& result = lookup(message.subject);
  auto delivered = deliver_all(result, message, self);
  return delivered > 0 ? delivered : deliver_instead(result, message);
}

size_t router::deliver_to(std::string_view to, const message_view& message) {
  return deliver_all(lookup(to), message, nullptr);
}

/// Who was found may have stopped to relieve another in between: that one is there all the time.
size_t router::deliver_instead(const match_result& found, const message_view& message) {
  auto left = [](const subscriber* s) {
    return s->relieves() && s->destination.load(std::memory_order_acquire) == nullptr;
  };
  if (std::none_of(found.plain.begin(), found.plain.end(), left)) return 0;
  match_result now;
  interest_.match(message.subject, interest::hash_of(message.subject), now);
  return deliver_all(now, message, nullptr);
}

size_t router::deliver_all(const match_result& result, const message_view& message,
                           const endpoint* self) {
  size_t delivered = 0;
  for (const auto* to : result.plain) delivered += deliver(message, *to, self, 0);
  for (const auto& group : result.queues)
    if (const auto* to = choose(group, self)) delivered += deliver(message, *to, self, group.id);
  return delivered;
}

size_t router::republish(const message_view& message, uint32_t queue) {
  for (const auto& group : lookup(message.subject).queues) {
    if (group.id != queue) continue;
    const auto* to = choose(group, nullptr);
    return to != nullptr && deliver(message, *to, nullptr, queue) ? 1 : 0;
  }
  return 0;
}

std::string_view router::own_sid(std::string_view subject, const endpoint* self) {
  const auto& result = lookup(subject);
  auto own = [&](const subscriber* s) {
    return s->destination.load(std::memory_order_acquire) == self;
  };
  for (const auto* s : result.plain)
    if (own(s)) return s->sid();
  for (const auto& group : result.queues)
    for (const auto* s : group.members)
      if (own(s)) return s->sid();
  return {};
}

frame_batch_ptr router::flush(const endpoint* self, event_loop& loop, int64_t high_water,
                              std::vector<pressure>& over) {
  frame_batch_ptr own;
  for (auto* destination : touched_) {
    auto& open = destination->open[loop_index_];
    auto batch = std::move(open.batch);
    auto total = static_cast<int64_t>(batch->total());
    open.expected = batch->size() + batch->size() / 8;
    if (destination == self) {
      own = std::move(batch);
      continue;
    }
    if (destination->wants_publisher && self != nullptr) batch->publisher = self->described.lock();
    auto pending = destination->pending.fetch_add(total, std::memory_order_relaxed) + total;
    if (pending > high_water) over.push_back({destination, pending});
    destination->actor->enqueue(
        caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, std::move(batch)), &loop);
  }
  touched_.clear();
  return own;
}

}  // namespace vagus

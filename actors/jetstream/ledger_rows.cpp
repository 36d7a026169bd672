#include "actors/jetstream/ledger_rows.hpp"

#include "storage/bytes.hpp"
#include "storage/checksum.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vagus {

namespace {

constexpr uint8_t ledger_format = 1;
constexpr uint8_t last_slot = 255;
constexpr auto last_change_kind = static_cast<uint8_t>(ledger_change::kind::removed_up_to);

uint64_t row_seed(uint64_t generation, uint8_t slot) {
  return generation << 8 | slot;
}

/// Small for what is close to zero on either side.
void append_signed(std::string& out, int64_t value) {
  auto bits = static_cast<uint64_t>(value);
  append_varint(out, bits << 1 ^ (value < 0 ? ~uint64_t{0} : 0));
}

int64_t read_signed(byte_reader& in) {
  auto bits = in.varint();
  return static_cast<int64_t>(bits >> 1 ^ (~(bits & 1) + 1));
}

int64_t difference(uint64_t a, uint64_t b) {
  return static_cast<int64_t>(a - b);
}
int64_t difference(int64_t a, int64_t b) {
  return difference(static_cast<uint64_t>(a), static_cast<uint64_t>(b));
}
int64_t wrapped_sum(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

struct change_fields {
  bool other = false;
  bool deadline = false;
  bool time = false;
};

change_fields fields_of(ledger_change::kind what) {
  using kind = ledger_change::kind;
  switch (what) {
    case kind::delivered:
    case kind::redelivered:
      return {false, true, true};
    case kind::acked:
      return {false, false, true};
    case kind::acked_up_to:
      return {true, false, true};
    case kind::waits:
      return {false, true, false};
    default:
      return {};
  }
}

/// Each field as its distance from the same field of the change before.
void append_change(std::string& out, const ledger_change& change, ledger_change& last) {
  auto has = fields_of(change.what);
  out.push_back(static_cast<char>(change.what));
  append_signed(out, difference(change.seq, last.seq));
  last.seq = change.seq;
  if (has.other)
    append_signed(out, difference(change.other, last.other)), last.other = change.other;
  if (has.deadline)
    append_signed(out, difference(change.deadline, last.deadline)), last.deadline = change.deadline;
  if (has.time) append_signed(out, difference(change.time, last.time)), last.time = change.time;
}

bool read_change(byte_reader& in, ledger_change& last) {
  auto what = in.le<uint8_t>();
  if (!in.ok() || what > last_change_kind) return false;
  last.what = static_cast<ledger_change::kind>(what);
  auto has = fields_of(last.what);
  last.seq += static_cast<uint64_t>(read_signed(in));
  if (has.other) last.other += static_cast<uint64_t>(read_signed(in));
  if (has.deadline) last.deadline = wrapped_sum(last.deadline, read_signed(in));
  if (has.time) last.time = wrapped_sum(last.time, read_signed(in));
  return in.ok();
}

/// New messages only come behind the others. The highest number is no message's.
bool comes_next(const ledger_state& state, const ledger_change& change) {
  return change.what != ledger_change::kind::delivered ||
         (change.seq >= state.next_seq && change.seq != UINT64_MAX);
}

void append_head(std::string& out, uint64_t generation, uint8_t slot) {
  append_le(out, ledger_format);
  append_varint(out, generation);
  append_le(out, slot);
}

void append_ledger_state(std::string& out, const ledger_state& s) {
  for (auto number : {s.delivered.consumer, s.delivered.stream, s.ack_floor.consumer,
                      s.ack_floor.stream, s.next_seq, s.last_of_each})
    append_varint(out, number);
  append_signed(out, s.delivered_ns);
  append_signed(out, s.acked_ns);
  append_varint(out, s.pending.size());
  pending_ack last;
  s.pending.for_each([&](const pending_ack& e) {
    append_varint(out, e.stream_seq - last.stream_seq);
    append_varint(out, e.consumer_seq - last.consumer_seq);
    append_varint(out, uint64_t{e.deliveries} << 1 | (e.queued ? 1 : 0));
    auto when = e.queued ? last.when : e.when;
    if (!e.queued) append_signed(out, difference(when, last.when));
    last = e;
    last.when = when;
  });
  uint64_t before = 0;
  for (auto seq : s.pending.queue_order()) {
    append_signed(out, difference(seq, before));
    before = seq;
  }
  append_varint(out, s.exhausted.size());
  before = 0;
  for (const auto& [seq, deliveries] : s.exhausted) {
    append_varint(out, seq - before);
    append_varint(out, deliveries);
    before = seq;
  }
}

/// All of them below `next_seq`: an archive that a client restores may say anything.
bool read_pending(byte_reader& in, pending_table& to, uint64_t next_seq) {
  std::vector<uint64_t> queued;
  pending_ack e;
  for (auto count = in.varint(); count > 0; --count) {
    auto distance = in.varint();
    if (distance == 0 || distance >= next_seq - e.stream_seq) return false;
    e.stream_seq += distance;
    e.consumer_seq += in.varint();
    auto deliveries = in.varint();
    bool is_queued = (deliveries & 1) != 0;
    e.deliveries = static_cast<uint32_t>(deliveries >> 1);
    if (!is_queued) e.when = wrapped_sum(e.when, read_signed(in));
    if (!in.ok()) return false;
    to.restore(e);
    if (is_queued) queued.push_back(e.stream_seq);
  }
  uint64_t seq = 0;
  for (size_t i = 0; i < queued.size(); ++i) {
    seq += static_cast<uint64_t>(read_signed(in));
    if (!in.ok() || !std::binary_search(queued.begin(), queued.end(), seq)) return false;
    to.queue(seq);
  }
  return to.queued() == queued.size();
}

bool read_ledger_state(byte_reader& in, ledger_state& s) {
  for (auto* number : {&s.delivered.consumer, &s.delivered.stream, &s.ack_floor.consumer,
                       &s.ack_floor.stream, &s.next_seq, &s.last_of_each})
    *number = in.varint();
  s.delivered_ns = read_signed(in);
  s.acked_ns = read_signed(in);
  if (!in.ok() || s.next_seq == 0 || !read_pending(in, s.pending, s.next_seq)) return false;
  uint64_t seq = 0;
  for (auto count = in.varint(); count > 0; --count) {
    seq += in.varint();
    auto deliveries = static_cast<uint32_t>(in.varint());
    if (!in.ok()) return false;
    s.exhausted.emplace(seq, deliveries);
  }
  return in.ok() && in.rest().empty();
}

struct opened_row {
  uint64_t generation = 0;
  uint8_t slot = 0;
  std::string_view body;
};

std::optional<opened_row> open_row(std::string_view row) {
  byte_reader head{row};
  auto format = head.le<uint8_t>();
  opened_row opened;
  opened.generation = head.varint();
  opened.slot = head.le<uint8_t>();
  if (!head.ok() || format != ledger_format) return std::nullopt;
  auto whole = unseal(row, row_seed(opened.generation, opened.slot));
  auto head_bytes = row.size() - head.rest().size();
  if (!whole || whole->size() < head_bytes) return std::nullopt;
  opened.body = whole->substr(head_bytes);
  return opened;
}

/// What a base has at most, without looking.
size_t base_estimate(const ledger_state& state) {
  return 64 + 8 * state.pending.size() + 4 * state.exhausted.size();
}

}  // namespace

std::string ledger_row_name(std::string_view consumer, uint8_t slot) {
  return fmt::format("{}.{}", consumer, slot);
}

void ledger_row_writer::add(const ledger_change& change, const ledger_state& after) {
  if (whole_) return;
  append_change(changes_, change, last_);
  // As in `take`: of a small state there is never anything but a base.
  constexpr size_t enough_to_look = 256;
  if (changes_.size() > enough_to_look && changes_.size() <= small_ledger &&
      base_estimate(after) <= small_ledger) {
    whole_ = true;
    return;
  }
  // More than a base would be: then that, and memory is bounded however long nobody takes a row.
  if (changes_.size() > small_ledger && changes_.size() > base_estimate(after)) whole_ = true;
}

std::optional<ledger_row> ledger_row_writer::take(const ledger_state& state) {
  if (!changed()) return std::nullopt;
  whole_ = whole_ || base_estimate(state) <= small_ledger || slot_ == last_slot ||
           change_bytes_ + changes_.size() > base_bytes_;
  ledger_row row;
  if (whole_) {
    ++generation_;
    append_head(row.bytes, generation_, 0);
    append_ledger_state(row.bytes, state);
    seal(row.bytes, row_seed(generation_, 0));
    base_bytes_ = row.bytes.size();
    change_bytes_ = 0;
    slot_ = 0;
  } else {
    row.slot = ++slot_;
    append_head(row.bytes, generation_, slot_);
    row.bytes += changes_;
    seal(row.bytes, row_seed(generation_, slot_));
    change_bytes_ += row.bytes.size();
  }
  whole_ = false;
  changes_.clear();
  last_ = {};
  return row;
}

std::optional<ledger_row_writer> read_ledger_rows(const std::vector<std::string_view>& rows,
                                                  ledger_state& to) {
  ledger_row_writer writer;
  for (auto row : rows) {
    auto opened = open_row(row);
    if (!opened) return std::nullopt;
    byte_reader body{opened->body};
    bool base = writer.generation_ == 0;
    if (base) {
      if (opened->slot != 0 || !read_ledger_state(body, to)) return std::nullopt;
      writer.generation_ = opened->generation;
      writer.base_bytes_ = row.size();
      continue;
    }
    if (opened->generation < writer.generation_) continue;
    if (opened->generation > writer.generation_ || opened->slot != writer.slot_ + 1)
      return std::nullopt;
    for (ledger_change change; !body.rest().empty(); to.apply(change))
      if (!read_change(body, change) || !comes_next(to, change)) return std::nullopt;
    writer.slot_ = opened->slot;
    writer.change_bytes_ += row.size();
  }
  if (writer.generation_ == 0) return std::nullopt;
  writer.whole_ = false;
  return writer;
}

}  // namespace vagus

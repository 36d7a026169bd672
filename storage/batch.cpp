#include "storage/batch.hpp"

#include "storage/bytes.hpp"
#include "storage/limits_row.hpp"

namespace vagus {

namespace {

constexpr uint32_t batch_magic = 0x31424756;  // "VGB1"
constexpr uint8_t chained_mark = 128;

enum store_flag : uint16_t {
  has_last_seq = 1,
  has_last_subject_seq = 2,
  has_last_msg_id = 4,
  rolls_up_subject = 8,
  rolls_up_all = 16,
  is_skipped = 32,
  asks_previous = 64,
  is_refused_after_sequences = 128,
  is_refused_after_ids = 256,
  is_placed = 512,
};

void write(std::string& out, const store_proposal& p) {
  using refusal = store_proposal::refusal;
  uint16_t flags = (p.expected_last_seq ? has_last_seq : 0) |
                   (p.expected_last_subject_seq ? has_last_subject_seq : 0) |
                   (p.expected_last_msg_id ? has_last_msg_id : 0) |
                   (p.rollup_subject ? rolls_up_subject : 0) | (p.rollup_all ? rolls_up_all : 0) |
                   (p.skip ? is_skipped : 0) | (p.wants_previous ? asks_previous : 0) |
                   (p.refused == refusal::after_sequences ? is_refused_after_sequences : 0) |
                   (p.refused == refusal::after_ids ? is_refused_after_ids : 0) |
                   (p.seq != 0 ? is_placed : 0);
  auto last_id = p.expected_last_msg_id.value_or(std::string_view{});
  append_le(out, flags);
  append_le(out, static_cast<uint32_t>(p.subject.size()));
  append_le(out, static_cast<uint32_t>(p.msg_id.size()));
  append_le(out, static_cast<uint32_t>(p.expected_subject.size()));
  append_le(out, static_cast<uint32_t>(last_id.size()));
  append_le(out, static_cast<uint32_t>(p.headers.size()));
  append_le(out, p.ttl_ns);
  append_le(out, p.expected_last_seq.value_or(0));
  append_le(out, p.expected_last_subject_seq.value_or(0));
  if (p.seq != 0) {
    append_le(out, p.seq);
    append_le(out, p.time_ns);
  }
  out.append(p.subject).append(p.msg_id).append(p.expected_subject).append(last_id);
  out.append(p.headers).append(p.payload);
}

void write(std::string& out, const delete_proposal& p) {
  append_le(out, p.seq);
  append_le(out, static_cast<uint8_t>(p.erase));
}

void write(std::string& out, const purge_proposal& p) {
  append_le(out, p.up_to);
  append_le(out, p.keep);
  append_le(out, p.at_most);
  out.append(p.filter);
}

void write(std::string&, const expire_proposal&) {}

void write(std::string& out, const configure_proposal& p) {
  append_limits(out, p.limits);
  out.append(p.blob);
}

void write(std::string& out, const consumer_put_proposal& p) {
  append_text(out, p.name);
  out.append(p.row);
}

void write(std::string& out, const consumer_delete_proposal& p) {
  out.append(p.name);
}

void write(std::string& out, const restore_proposal& p) {
  append_le(out, p.seq);
  append_le(out, p.time_ns);
  append_le(out, p.expires_ns);
  append_text(out, p.subject);
  append_text(out, p.headers);
  append_text(out, p.msg_id);
  out.append(p.payload);
}

void read_restore(byte_reader& in, restore_proposal& p) {
  p.seq = in.le<uint64_t>();
  p.time_ns = in.le<int64_t>();
  p.expires_ns = in.le<int64_t>();
  p.subject = in.text();
  p.headers = in.text();
  p.msg_id = in.text();
  p.payload = in.take(in.rest().size());
}

void read_store(byte_reader& in, store_proposal& p) {
  auto flags = in.le<uint16_t>();
  auto subject = in.le<uint32_t>();
  auto id = in.le<uint32_t>();
  auto expected_subject = in.le<uint32_t>();
  auto last_id = in.le<uint32_t>();
  auto headers = in.le<uint32_t>();
  p.ttl_ns = in.le<int64_t>();
  auto last_seq = in.le<uint64_t>();
  auto last_subject_seq = in.le<uint64_t>();
  if (flags & is_placed) {
    p.seq = in.le<uint64_t>();
    p.time_ns = in.le<int64_t>();
  }
  p.subject = in.take(subject);
  p.msg_id = in.take(id);
  p.expected_subject = in.take(expected_subject);
  auto last_msg_id = in.take(last_id);
  p.headers = in.take(headers);
  p.payload = in.take(in.rest().size());
  if (flags & has_last_seq) p.expected_last_seq = last_seq;
  if (flags & has_last_subject_seq) p.expected_last_subject_seq = last_subject_seq;
  if (flags & has_last_msg_id) p.expected_last_msg_id = last_msg_id;
  p.rollup_subject = (flags & rolls_up_subject) != 0;
  p.rollup_all = (flags & rolls_up_all) != 0;
  p.skip = (flags & is_skipped) != 0;
  p.wants_previous = (flags & asks_previous) != 0;
  if (flags & is_refused_after_sequences) p.refused = store_proposal::refusal::after_sequences;
  if (flags & is_refused_after_ids) p.refused = store_proposal::refusal::after_ids;
}

void read_purge(byte_reader& in, purge_proposal& p) {
  p.up_to = in.le<uint64_t>();
  p.keep = in.le<uint64_t>();
  p.at_most = in.le<uint64_t>();
  p.filter = in.take(in.rest().size());
}

void read_configure(byte_reader& in, configure_proposal& p) {
  p.limits = read_limits(in);
  p.blob = in.take(in.rest().size());
}

void read_delete(byte_reader& in, delete_proposal& p) {
  p.seq = in.le<uint64_t>();
  p.erase = in.le<uint8_t>() != 0;
}

void read_consumer(byte_reader& in, consumer_put_proposal& p) {
  p.name = in.text();
  p.row = in.take(in.rest().size());
}

/// False if there is no such kind.
bool read(uint8_t kind, byte_reader& in, proposal& out) {
  switch (kind) {
    case 0:
      read_store(in, out.emplace<store_proposal>());
      return true;
    case 1:
      read_delete(in, out.emplace<delete_proposal>());
      return true;
    case 2:
      read_purge(in, out.emplace<purge_proposal>());
      return true;
    case 3:
      out.emplace<expire_proposal>();
      return true;
    case 4:
      read_configure(in, out.emplace<configure_proposal>());
      return true;
    case 5:
      read_consumer(in, out.emplace<consumer_put_proposal>());
      return true;
    case 6:
      out.emplace<consumer_delete_proposal>().name = in.take(in.rest().size());
      return true;
    case 7:
      read_restore(in, out.emplace<restore_proposal>());
      return true;
    default:
      return false;
  }
}

}  // namespace

batch_builder::batch_builder(int64_t time_ns, uint64_t number) {
  append_le(bytes_, batch_magic);
  append_le(bytes_, uint32_t{0});
  append_le(bytes_, number);
  append_le(bytes_, time_ns);
}

batch_builder& batch_builder::add(const proposal& p, bool chained) {
  auto start = bytes_.size();
  append_le(bytes_, uint32_t{0});
  auto kind = static_cast<uint8_t>(p.index());
  append_le(bytes_, static_cast<uint8_t>(chained ? kind | chained_mark : kind));
  std::visit([&](const auto& value) { write(bytes_, value); }, p);
  auto length = static_cast<uint32_t>(bytes_.size() - start - 4);
  std::memcpy(bytes_.data() + start, &length, 4);
  ++count_;
  std::memcpy(bytes_.data() + 4, &count_, 4);
  return *this;
}

batch_reader::batch_reader(std::string_view bytes) : rest_{bytes} {
  byte_reader in{bytes};
  valid_ = in.le<uint32_t>() == batch_magic;
  count_ = in.le<uint32_t>();
  number_ = in.le<uint64_t>();
  time_ns_ = in.le<int64_t>();
  valid_ = valid_ && in.ok();
  rest_ = in.rest();
}

bool batch_reader::next(proposal& out) {
  if (!valid_) return false;
  if (read_ == count_) {
    valid_ = rest_.empty();
    return false;
  }
  __builtin_prefetch(rest_.data() + 1024);
  byte_reader frame{rest_};
  byte_reader in{frame.text()};
  rest_ = frame.rest();
  auto kind = in.le<uint8_t>();
  chained_ = (kind & chained_mark) != 0;
  valid_ = frame.ok() && read(kind & ~chained_mark, in, out) && in.ok();
  read_ += valid_;
  return valid_;
}

}  // namespace vagus

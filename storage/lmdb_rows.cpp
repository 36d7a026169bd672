#include "storage/lmdb_rows.hpp"

#include "storage/bytes.hpp"
#include "storage/checksum.hpp"
#include "storage/limits_row.hpp"
#include "storage/lmdb_fault.hpp"
#include "storage/packing.hpp"

namespace vagus {

namespace {

constexpr std::string_view format_magic = "vagus-stream";
/// In the size of a record's subject.
constexpr uint32_t packed_flag = 1u << 31;

void append_seqs(std::string& out, const std::vector<uint64_t>& seqs, uint64_t before) {
  for (auto seq : seqs) {
    append_varint(out, seq - before);
    before = seq;
  }
}

void read_seqs(byte_reader& in, size_t count, uint64_t before, std::vector<uint64_t>& out) {
  for (size_t i = 0; i < count && in.ok(); ++i) out.push_back(before += in.varint());
}

}  // namespace

size_t record_size(const stored_message& m, std::string_view block) {
  auto body = block.empty() ? m.headers.size() + m.payload.size() : block.size();
  return record_header + m.subject.size() + body;
}

void write_record(char* out, const stored_message& m, std::string_view block) {
  auto put = [](char* at, auto value) { std::memcpy(at, &value, sizeof value); };
  put(out + 8, m.time_ns);
  put(out + 16, m.expires_ns);
  put(out + 24, static_cast<uint32_t>(m.headers.size()));
  bool packed = !block.empty();
  put(out + 28, static_cast<uint32_t>(m.subject.size()) | (packed ? packed_flag : 0));
  char* at = out + record_header;
  for (auto part : {m.subject, packed ? block : m.headers, packed ? "" : m.payload}) {
    if (!part.empty()) std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  put(out, checksum({out + 8, static_cast<size_t>(at - out - 8)}, m.seq));
}

std::optional<std::string_view> read_sealed(std::string_view bytes, uint64_t seed) {
  std::optional<std::string_view> body;
  if (!survives_damage([&] { body = unseal(bytes, seed); })) return std::nullopt;
  return body;
}

bool read_record(std::string_view bytes, uint64_t seq, stored_head& m) {
  if (bytes.size() < record_header) return false;
  bool fits = false;
  bool there = survives_damage(
      [&] { fits = load_le<uint64_t>(bytes.data()) == checksum(bytes.substr(8), seq); });
  if (!there || !fits) return false;
  byte_reader in{bytes.substr(8)};
  m.seq = seq;
  m.time_ns = in.le<int64_t>();
  m.expires_ns = in.le<int64_t>();
  m.headers_size = in.le<uint32_t>();
  auto subject = in.le<uint32_t>();
  m.packed = (subject & packed_flag) != 0;
  m.subject = in.take(subject & ~packed_flag);
  m.body = in.rest();
  auto size = m.body.size();
  if (m.packed) size = unpacked_size(m.body).value_or(0);
  if (!in.ok() || size < m.headers_size || (m.packed && size == 0)) return false;
  m.payload_size = size - m.headers_size;
  return true;
}

std::optional<stored_head> read_record(std::string_view bytes, uint64_t seq) {
  std::optional<stored_head> m{std::in_place};
  if (!read_record(bytes, seq, *m)) m.reset();
  return m;
}

std::string subject_key(std::string_view subject) {
  if (subject.size() <= longest_plain_key) return std::string{subject};
  std::string key{subject.substr(0, longest_plain_key)};
  append_le(key, checksum(subject, 1));
  append_le(key, checksum(subject, 2));
  return key;
}

std::string encode(const subject_row& row) {
  std::string out;
  append_le(out, row.id);
  append_le(out, row.count);
  append_le(out, row.first);
  append_le(out, row.last);
  append_le(out, static_cast<uint16_t>(row.newest.size()));
  append_seqs(out, row.newest, 0);
  out.append(row.long_name);
  seal(out);
  return out;
}

std::optional<subject_row> decode_subject(std::string_view bytes) {
  auto body = read_sealed(bytes);
  if (!body) return std::nullopt;
  byte_reader in{*body};
  subject_row row;
  row.id = in.le<uint64_t>();
  row.count = in.le<uint64_t>();
  row.first = in.le<uint64_t>();
  row.last = in.le<uint64_t>();
  auto newest = in.le<uint16_t>();
  row.newest.reserve(block_size);
  read_seqs(in, newest, 0, row.newest);
  row.long_name = in.rest();
  if (!in.ok()) return std::nullopt;
  return row;
}

std::string block_key(uint64_t id, uint64_t first) {
  std::string key;
  append_be64(key, id);
  append_be64(key, first);
  return key;
}

std::string encode_block(uint64_t id, const std::vector<uint64_t>& seqs) {
  std::string out;
  append_le(out, static_cast<uint16_t>(seqs.size()));
  append_seqs(out, seqs, seqs.front());
  seal(out, id);
  return out;
}

bool decode_block(std::string_view bytes, uint64_t id, uint64_t first, std::vector<uint64_t>& out) {
  out.clear();
  auto body = read_sealed(bytes, id);
  if (!body) return false;
  byte_reader in{*body};
  auto count = in.le<uint16_t>();
  read_seqs(in, count, first, out);
  return in.ok() && !out.empty();
}

std::string encode(const lmdb_meta& meta) {
  std::string out;
  const auto& m = meta.common;
  for (auto number :
       {m.applied, static_cast<uint64_t>(m.time_ns), m.state.msgs, m.state.bytes, m.state.first_seq,
        m.state.last_seq, static_cast<uint64_t>(m.state.first_time_ns),
        static_cast<uint64_t>(m.state.last_time_ns), m.state.num_subjects, m.age_floor,
        meta.indexed_up_to, meta.generation, meta.last_subject_id, meta.ids_indexed_up_to,
        meta.id_bucket})
    append_le(out, number);
  append_limits(out, m.limits);
  append_le(out, static_cast<uint8_t>((m.over_limits ? 1 : 0) | (m.sweeping ? 2 : 0)));
  append_text(out, m.last_msg_id);
  append_text(out, m.sweep_after);
  append_le(out, static_cast<uint32_t>(m.purges.size()));
  for (const auto& p : m.purges) {
    append_text(out, p.filter);
    append_le(out, p.up_to);
  }
  seal(out);
  return out;
}

std::optional<lmdb_meta> decode_meta(std::string_view bytes) {
  auto body = read_sealed(bytes);
  if (!body) return std::nullopt;
  byte_reader in{*body};
  lmdb_meta meta;
  auto& m = meta.common;
  m.applied = in.le<uint64_t>();
  m.time_ns = in.le<int64_t>();
  m.state.msgs = in.le<uint64_t>();
  m.state.bytes = in.le<uint64_t>();
  m.state.first_seq = in.le<uint64_t>();
  m.state.last_seq = in.le<uint64_t>();
  m.state.first_time_ns = in.le<int64_t>();
  m.state.last_time_ns = in.le<int64_t>();
  m.state.num_subjects = in.le<uint64_t>();
  m.age_floor = in.le<uint64_t>();
  meta.indexed_up_to = in.le<uint64_t>();
  meta.generation = in.le<uint64_t>();
  meta.last_subject_id = in.le<uint64_t>();
  meta.ids_indexed_up_to = in.le<uint64_t>();
  meta.id_bucket = in.le<uint64_t>();
  m.limits = read_limits(in);
  auto flags = in.le<uint8_t>();
  m.over_limits = (flags & 1) != 0;
  m.sweeping = (flags & 2) != 0;
  m.last_msg_id = in.text();
  m.sweep_after = in.text();
  for (auto count = in.le<uint32_t>(); count > 0 && in.ok(); --count) {
    std::string filter{in.text()};
    m.purges.push_back({std::move(filter), in.le<uint64_t>()});
  }
  if (!in.ok()) return std::nullopt;
  return meta;
}

std::string encode_format(std::string_view stream) {
  std::string out{format_magic};
  append_le(out, format_version);
  append_text(out, stream);
  seal(out);
  return out;
}

store_result<format_row> decode_format(std::string_view bytes) {
  bool fits = false;
  if (!survives_damage([&] { fits = unseal(bytes).has_value(); }))
    return store_error{store_errc::corrupt, 0, "the format row is not there"};
  byte_reader in{bytes};
  if (in.take(format_magic.size()) != format_magic)
    return store_error{store_errc::not_a_store, 0, "the format row has another magic"};
  auto version = in.le<uint32_t>();
  if (version == 0 || version > format_version)
    return store_error{store_errc::not_a_store, 0,
                       "format version " + std::to_string(version) + " is not known"};
  std::string name{in.text()};
  if (!in.ok() || !fits)
    return store_error{store_errc::corrupt, 0, "the format row's checksum does not fit"};
  return format_row{version, std::move(name)};
}

void write_id(char* out, const id_row& row, uint64_t seq) {
  std::memcpy(out, &row.time_ns, 8);
  std::memcpy(out + 8, row.id.data(), row.id.size());
  auto sum = checksum({out, 8 + row.id.size()}, seq);
  std::memcpy(out + 8 + row.id.size(), &sum, 8);
}

std::optional<id_row> decode_id(std::string_view bytes, uint64_t seq) {
  auto body = read_sealed(bytes, seq);
  if (!body || body->size() < 8) return std::nullopt;
  return id_row{load_le<int64_t>(body->data()), body->substr(8)};
}

}  // namespace vagus

#include "actors/jetstream/asset_row.hpp"
#include "actors/jetstream/ledger_rows.hpp"
#include "storage/apply.hpp"
#include "storage/batch.hpp"
#include "storage/bytes.hpp"
#include "storage/checksum.hpp"
#include "storage/lmdb_rows.hpp"
#include "storage/memory_store.hpp"
#include "storage/packing.hpp"
#include "target.hpp"

using namespace vagus;
using namespace vagus::fuzz;

namespace {

std::string sealed(std::string_view body, uint64_t seed = 0) {
  std::string row{body};
  seal(row, seed);
  return row;
}

void check_meta(std::string_view body) {
  auto meta = decode_meta(sealed(body));
  if (!meta) return;
  auto row = encode(*meta);
  auto again = decode_meta(row);
  require(again && encode(*again) == row, "a state row is read as it was written");
}

void check_subject(std::string_view body) {
  auto row = sealed(body);
  auto subject = decode_subject(row);
  if (!subject) return;
  auto written = encode(*subject);
  auto again = decode_subject(written);
  require(again && encode(*again) == written, "an index row is read as it was written");
}

void check_message(std::string_view record) {
  auto head = read_record(record, 7);
  if (!head) return;
  for (auto part : {head->subject, head->body})
    require(lies_in(part, record), "a message lies in its record");
  auto size = head->headers_size + head->payload_size;
  require(head->packed ? size <= 22 * head->body.size() : size == head->body.size(),
          "a record has room for what it says");
  body_opener opener;
  auto m = opener.open(*head);
  require(m || head->packed, "only what is packed can be damaged behind a checksum that fits");
  if (!m) return;
  auto packed = pack_body(m->headers, m->payload);
  std::string row(record_size(*m, packed.bytes()), '\0');
  write_record(row.data(), *m, packed.bytes());
  auto again = read_record(row, 7);
  body_opener other;
  auto same = again ? other.open(*again) : std::nullopt;
  require(same && same->headers == m->headers && same->payload == m->payload,
          "a message is read as it was written");
}

void check_records(std::string_view body) {
  std::vector<uint64_t> seqs;
  decode_block(sealed(body, 7), 7, 100, seqs);
  auto id = sealed(body, 7);
  if (auto row = decode_id(id, 7)) require(lies_in(row->id, id), "an id lies in its row");
  std::string record;
  append_le(record, checksum(body, 7));
  record += body;
  check_message(record);
  decode_format(sealed(body));
  auto asset = sealed(body);
  if (auto row = open_asset_row(asset))
    require(lies_in(row->config, asset), "a configuration lies in its row");
}

/// Whatever is in the log has been applied once; what looks like a batch must do no harm.
void check_batch_bytes(std::string_view body) {
  if (check_batch(body)) return;
  memory_store store{"FUZZ"};
  auto result = store.append(body);
  require(!result.error, "a well-formed batch is applied");
  auto snapshot = std::move(*store.read());
  uint64_t seen = 0;
  for (auto m = snapshot->next_message(0); m; m = snapshot->next_message(m->seq + 1)) ++seen;
  require(seen == snapshot->state().msgs, "the state counts the messages");
}

std::string ledger_row_of(uint8_t slot, std::string_view body) {
  std::string row;
  append_le(row, uint8_t{1});
  append_varint(row, 1);
  append_le(row, slot);
  row += body;
  seal(row, 1 << 8 | slot);
  return row;
}

std::string written(const ledger_state& state) {
  ledger_row_writer writer;
  auto row = writer.take(state);
  require(row && row->slot == 0, "a new writer begins with a base");
  return row->bytes;
}

/// Everything that a consumer does with what is pending, until nothing is.
void use_up(pending_table& pending) {
  uint64_t before = 0;
  size_t seen = 0;
  pending.for_each([&](const pending_ack& e) {
    require(seen++ == 0 || e.stream_seq > before, "what is pending is in order");
    before = e.stream_seq;
    require(pending.find(e.stream_seq) != nullptr, "what is pending is found");
  });
  require(seen == pending.size(), "the table counts what is pending");
  while (pending.next_deadline())
    for (auto seq : pending.take_due(INT64_MAX)) pending.queue(seq);
  require(pending.queued() == pending.size(), "all deadlines pass");
  while (auto seq = pending.front()) pending.erase(*seq);
  require(pending.empty(), "the queue ends");
}

/// A `u16` size of the base, the base, the changes.
void check_ledger(std::string_view body) {
  if (body.size() < 2) return;
  auto whole = body.substr(2);
  auto end = std::min<size_t>(load_le<uint16_t>(body.data()), whole.size());
  auto base = ledger_row_of(0, whole.substr(0, end));
  auto changes = ledger_row_of(1, whole.substr(end));
  ledger_state state;
  if (!read_ledger_rows({base, changes}, state)) {
    state = {};
    if (!read_ledger_rows({base}, state)) return;
  }
  auto row = written(state);
  ledger_state again;
  require(read_ledger_rows({row}, again).has_value(), "a written state is readable");
  require(written(again) == row, "a state is read as it was written");
  use_up(state.pending);
}

}  // namespace

/// The first byte says what kind of row the others are; checksums are added.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  auto body = text_of(data + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      check_meta(body);
      break;
    case 1:
      check_subject(body);
      break;
    case 2:
      check_records(body);
      break;
    case 3:
      check_batch_bytes(body);
      break;
    default:
      check_ledger(body);
  }
  return 0;
}

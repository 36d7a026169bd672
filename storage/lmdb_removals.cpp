#include "storage/lmdb_removals.hpp"

#include "storage/checksum.hpp"
#include "storage/lmdb_rows.hpp"

namespace vagus {

namespace {

/// Two rows fit on a page of 4 KiB.
constexpr size_t full_row = 1800;

bool read_row(std::string_view bytes, uint64_t number,
              const std::function<void(std::string_view, uint64_t)>& f) {
  auto body = read_sealed(bytes, number);
  if (!body) return false;
  byte_reader in{*body};
  while (in.ok() && !in.rest().empty()) {
    auto subject = in.text();
    for (auto seq = in.varint(); in.ok() && seq != 0; seq = in.varint()) f(subject, seq);
  }
  return in.ok();
}

template <class F>
void each_row(MDB_txn* txn, MDB_dbi database, F f) {
  uint64_t before = 0;
  for_each_entry(txn, database, [&](const MDB_val& key, std::string_view bytes) {
    before = seq_from(key, before + 1);
    f(before, bytes);
    return true;
  });
}

}  // namespace

void removal_rows::note(MDB_txn* txn, const lmdb_databases& databases, std::string_view subject,
                        uint64_t seq) {
  if (row_.empty() || subject != subject_) {
    if (!row_.empty()) row_.push_back('\0');
    append_text(row_, subject);
    subject_ = subject;
  }
  append_varint(row_, seq);
  if (row_.size() >= full_row) settle(txn, databases);
}

void removal_rows::settle(MDB_txn* txn, const lmdb_databases& databases) {
  if (row_.empty()) return;
  lmdb_cursor rows{txn, databases.removals};
  MDB_val key, ignored;
  uint64_t number = rows.move(key, ignored, MDB_LAST) ? seq_of(key) + 1 : 1;
  row_.push_back('\0');
  seal(row_, number);
  std::memcpy(rows.append(to_val(number), row_.size()), row_.data(), row_.size());
  forget();
}

void removal_rows::forget() {
  row_.clear();
}

void for_each_removal(MDB_txn* txn, const lmdb_databases& databases,
                      const std::function<void(std::string_view subject, uint64_t seq)>& f,
                      const std::function<void(uint64_t key)>& damaged) {
  each_row(txn, databases.removed, [&](uint64_t seq, std::string_view bytes) {
    if (auto subject = read_sealed(bytes, seq))
      f(*subject, seq);
    else
      damaged(seq);
  });
  if (!databases.has_removals) return;
  each_row(txn, databases.removals, [&](uint64_t number, std::string_view bytes) {
    if (!read_row(bytes, number, f)) damaged(number);
  });
}

}  // namespace vagus

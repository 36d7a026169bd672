#include "storage/archive.hpp"

#include "net/subject.hpp"
#include "storage/batch.hpp"
#include "storage/bytes.hpp"
#include "storage/checksum.hpp"

#include <algorithm>

namespace vagus {

namespace {

constexpr std::string_view archive_magic = "VAGUSNAP";
constexpr uint32_t archive_version = 1;
/// A block takes no more records once it is that large.
constexpr size_t full_block = size_t{1} << 20;
/// What a block may have besides one message of the largest size.
constexpr size_t block_overhead = size_t{2} << 20;
/// How the snapshots of nats-server begin (an S2 stream).
constexpr std::string_view peer_magic{"\xff\x06\x00\x00S2sTwO", 10};

enum record_kind : uint8_t { record_stream = 1, record_message, record_consumer, record_end };

store_error broken(std::string text) {
  return {store_errc::corrupt, 0, std::move(text)};
}

store_error stream_is_closed() {
  return {store_errc::stopped, 0, "stream closed"};
}

/// The value of `Nats-Msg-Id` in a block of headers; empty: none.
std::string_view msg_id_of(std::string_view headers) {
  constexpr std::string_view name = "\r\nNats-Msg-Id:";
  auto at = headers.find(name);
  if (at == std::string_view::npos) return {};
  auto value = headers.substr(at + name.size());
  value = value.substr(0, value.find('\r'));
  while (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

}  // namespace

// ---- writing ----

store_error archive_writer::start() {
  auto store = store_.lock();
  if (!store) return stream_is_closed();
  auto snapshot = store->read();
  if (!snapshot) return snapshot.error();
  auto config = (*snapshot)->config();
  if (!config) return config.error();
  meta_ = (*snapshot)->meta();
  next_ = meta_.state.first_seq;
  consumers_done_ = !with_consumers_;
  ready_.assign(archive_magic);
  append_le(ready_, archive_version);
  std::string block;
  append_le(block, uint8_t{record_stream});
  append_text(block, meta_.stream);
  append_text(block, *config);
  append_le(block, meta_.state.msgs);
  append_le(block, meta_.state.first_seq);
  append_le(block, meta_.state.last_seq);
  append_le(block, meta_.state.last_time_ns);
  put_block(block);
  return {};
}

void archive_writer::put_block(std::string_view block) {
  append_le(ready_, static_cast<uint32_t>(block.size()));
  ready_.append(block);
  append_le(ready_, checksum(block, blocks_++));
}

store_result<std::string> archive_writer::read(size_t size) {
  while (!ended_ && ready_.size() - taken_ < size)
    if (auto error = fill()) return error;
  auto bytes = ready_.substr(taken_, size);
  taken_ += bytes.size();
  return bytes;
}

/// One more block. The store's snapshot is held no longer than that takes.
store_error archive_writer::fill() {
  ready_.erase(0, taken_);
  taken_ = 0;
  auto store = store_.lock();
  if (!store) return stream_is_closed();
  auto snapshot = store->read();
  if (!snapshot) return snapshot.error();
  std::string block;
  if (!consumers_done_) {
    if (auto error = add_consumers(**snapshot, block)) return error;
  } else if (auto error = add_messages(**snapshot, block)) {
    return error;
  }
  put_block(block);
  return {};
}

store_error archive_writer::add_consumers(store_snapshot& from, std::string& block) {
  auto names = from.consumers(consumer_, 256);
  if (!names) return names.error();
  consumers_done_ = names->empty();
  for (const auto& name : *names) {
    auto row = from.consumer(name);
    if (!row) return row.error();
    consumer_ = name;
    if (!*row) continue;
    append_le(block, uint8_t{record_consumer});
    append_text(block, name);
    append_text(block, **row);
    if (block.size() >= full_block) break;
  }
  return {};
}

store_error archive_writer::add_messages(store_snapshot& from, std::string& block) {
  while (block.size() < full_block) {
    auto seq = from.first_at_or_after(next_);
    if (!seq) return seq.error();
    if (*seq == 0 || *seq > meta_.state.last_seq) {
      add_end(block);
      return {};
    }
    auto m = from.message(*seq);
    if (!m) return m.error();
    append_le(block, uint8_t{record_message});
    append_le(block, m->seq);
    append_le(block, m->time_ns);
    append_le(block, m->expires_ns);
    append_text(block, m->subject);
    append_text(block, m->headers);
    append_text(block, m->payload);
    next_ = *seq + 1;
    ++msgs_;
  }
  return {};
}

void archive_writer::add_end(std::string& block) {
  append_le(block, uint8_t{record_end});
  append_le(block, msgs_);
  append_le(block, meta_.state.last_seq);
  append_le(block, meta_.state.last_time_ns);
  ended_ = true;
}

// ---- reading ----

store_error archive_reader::fail(store_error error) {
  failed_ = error;
  pending_.clear();
  return error;
}

store_error archive_reader::take(std::string_view bytes) {
  if (failed_) return failed_;
  pending_.append(bytes);
  if (!started_) {
    if (auto error = start()) return fail(error);
    if (!started_) return {};
  }
  size_t done = 0;
  for (std::string_view rest{pending_}; rest.size() >= 4;
       rest = std::string_view{pending_}.substr(done)) {
    uint64_t size = load_le<uint32_t>(rest.data());
    if (size > limits_.max_message + block_overhead)
      return fail(broken("a block is larger than the largest message allowed here"));
    if (rest.size() < size + 12) break;
    auto block = rest.substr(4, size);
    if (load_le<uint64_t>(rest.data() + 4 + size) != checksum(block, blocks_++))
      return fail(broken("a checksum does not fit: the snapshot is damaged"));
    if (auto error = take_block(block)) return fail(error);
    done += size + 12;
  }
  pending_.erase(0, done);
  if (ended_ && !pending_.empty()) return fail(broken("bytes follow the end of the snapshot"));
  return {};
}

/// The head of the archive, once it is there.
store_error archive_reader::start() {
  std::string_view seen{pending_};
  if (!archive_magic.starts_with(seen.substr(0, archive_magic.size()))) {
    bool peers = seen.starts_with(peer_magic.substr(0, std::min(seen.size(), peer_magic.size())));
    return broken(peers ? "this is a snapshot of nats-server, which only that can restore"
                        : "this is not a snapshot of vagus");
  }
  constexpr auto head = archive_magic.size() + sizeof archive_version;
  if (seen.size() < head) return {};
  if (load_le<uint32_t>(seen.data() + archive_magic.size()) != archive_version)
    return broken("the snapshot has a format that is not known here");
  pending_.erase(0, head);
  started_ = true;
  // Limits come later: nothing that is restored is to fall to them before all is there.
  store_limits limits;
  limits.duplicate_window_ns = limits_.duplicate_window_ns;
  limits.compress = limits_.compress;
  batch_builder first{now_ns_};
  first.add(configure_proposal{limits, {}});
  return to_.append(first.bytes()).error;
}

store_error archive_reader::take_block(std::string_view block) {
  if (ended_) return broken("bytes follow the end of the snapshot");
  batch_builder batch{now_ns_};
  for (byte_reader in{block}; !in.rest().empty();) {
    auto kind = in.le<uint8_t>();
    if (auto error = take_record(kind, in, batch)) return error;
    if (!in.ok()) return broken("a record is incomplete");
  }
  if (batch.size() == 0) return {};
  auto result = to_.append(batch.bytes());
  if (result.error) return result.error;
  for (const auto& o : result.outcomes)
    if (o.error != store_errc::none) return broken("the messages are not in order");
  return {};
}

store_error archive_reader::take_record(uint8_t kind, byte_reader& in, batch_builder& into) {
  if (ended_ || (kind == record_stream) == described_) return broken("a record is out of place");
  restore_proposal m;
  switch (kind) {
    case record_stream: {
      described_ = true;
      in.text();  // the name, for people: the request says what it is now
      in.text();  // the configuration, likewise
      auto msgs = in.le<uint64_t>();
      auto first_seq = in.le<uint64_t>();
      in.le<uint64_t>();
      auto last_time_ns = in.le<int64_t>();
      if (!in.ok() || first_seq <= 1) return {};
      m.seq = last_seq_ = first_seq - 1;
      if (msgs == 0) m.time_ns = last_time_ns;
      into.add(m);
      return {};
    }
    case record_message:
      m.seq = in.le<uint64_t>();
      m.time_ns = in.le<int64_t>();
      m.expires_ns = in.le<int64_t>();
      m.subject = in.text();
      m.headers = in.text();
      m.payload = in.text();
      if (!in.ok()) return {};
      if (!valid_literal_subject(m.subject)) return broken("a message has no valid subject");
      if (m.headers.size() + m.payload.size() > limits_.max_message)
        return broken("a message is larger than what is allowed here");
      m.msg_id = msg_id_of(m.headers);
      last_seq_ = m.seq;
      ++msgs_;
      into.add(m);
      return {};
    case record_consumer: {
      consumer_put_proposal c;
      c.name = in.text();
      c.row = in.text();
      if (in.ok()) into.add(c);
      return {};
    }
    case record_end: {
      ended_ = true;
      if (in.le<uint64_t>() != msgs_) return broken("messages are missing");
      m.seq = in.le<uint64_t>();
      m.time_ns = in.le<int64_t>();
      if (in.ok() && m.seq > last_seq_) into.add(m);
      return {};
    }
    default:
      return broken("a record is of a kind that is not known here");
  }
}

store_error archive_reader::finish() {
  if (failed_) return failed_;
  return ended_ ? store_error{} : fail(broken("the snapshot is incomplete"));
}

}  // namespace vagus

#include "storage/archive.hpp"
#include "storage/bytes.hpp"
#include "storage/checksum.hpp"
#include "storage/memory_store.hpp"
#include "target.hpp"

using namespace vagus;
using namespace vagus::fuzz;

namespace {

constexpr int64_t now_ns = 1'700'000'000'000'000'000;
constexpr archive_limits limits{1 << 20, 120'000'000'000};

/// An archive whose blocks are these runs: a `u16` size and as many bytes, the last without.
std::string with_sums(std::string_view runs) {
  std::string archive{"VAGUSNAP"};
  append_le(archive, uint32_t{1});
  for (uint64_t number = 0; !runs.empty(); ++number) {
    size_t size = runs.size() < 2 ? 0 : load_le<uint16_t>(runs.data());
    runs.remove_prefix(std::min<size_t>(runs.size(), 2));
    auto block = runs.substr(0, size);
    runs.remove_prefix(block.size());
    append_le(archive, static_cast<uint32_t>(block.size()));
    archive.append(block);
    append_le(archive, checksum(block, number));
  }
  return archive;
}

bool restore(std::string_view archive, size_t cut, message_store& to) {
  archive_reader reader{to, limits, now_ns};
  auto first = archive.substr(0, cut);
  if (reader.take(first) || reader.take(archive.substr(first.size()))) return false;
  return !reader.finish();
}

std::string archived(const std::shared_ptr<message_store>& store) {
  archive_writer writer{store, true};
  require(!writer.start(), "what was restored can be archived");
  std::string all;
  for (;;) {
    auto bytes = writer.read(1000);
    require(static_cast<bool>(bytes), "an archive can be read to its end");
    if (bytes->empty()) return all;
    all += *bytes;
  }
}

void check_state(message_store& store) {
  auto snapshot = std::move(*store.read());
  const auto& state = snapshot->state();
  uint64_t seen = 0;
  for (auto m = snapshot->next_message(0); m; m = snapshot->next_message(m->seq + 1)) {
    require(m->seq >= state.first_seq && m->seq <= state.last_seq, "messages are in the stream");
    require(m->time_ns <= now_ns, "nothing restored is later than now");
    ++seen;
  }
  require(seen == state.msgs, "the state counts the messages");
}

}  // namespace

/// The first byte: whether sums are added (odd), and where the bytes are cut in two.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  auto rest = text_of(data + 1, size - 1);
  auto archive = data[0] % 2 ? with_sums(rest) : std::string{rest};
  auto store = std::make_shared<memory_store>("FUZZ");
  if (!restore(archive, data[0], *store)) return 0;
  check_state(*store);
  auto again = std::make_shared<memory_store>("FUZZ");
  auto copy = archived(store);
  require(restore(copy, copy.size() / 2, *again), "an archive that was written can be restored");
  require(archived(again) == copy, "a restored stream is archived as it was");
  return 0;
}

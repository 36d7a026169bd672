#include "storage/write_log.hpp"
#include "storage_fixture.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace vagus;
using namespace vagus::testing;

namespace fs = std::filesystem;

namespace {

constexpr uint64_t first_record = 4096 + 8;  // behind a checkpoint of up to eight bytes

/// A log as it is on the disk after a power cut.
struct cut_log {
  scratch dir;
  write_log log{dir.path()};

  /// log.1 first, then log.0, and so on.
  void checkpoint(std::string_view bytes, bool completed = true) {
    log.begin(bytes);
    if (completed) log.complete();
  }
  void append(uint64_t number, bool synced) {
    log.append(number, "batch " + std::to_string(number));
    if (synced) log.sync();
  }
  void overwrite(std::string_view file, uint64_t at, std::string_view bytes) {
    std::fstream out{dir.path() / file, std::ios::in | std::ios::out | std::ios::binary};
    out.seekp(static_cast<std::streamoff>(at));
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  write_log::contents found() { return write_log::read(dir.path()); }
};

std::string content(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace

TEST_CASE("log: a file that was being written anew may be torn, as it is not needed any more") {
  cut_log l;
  l.checkpoint("one");
  for (uint64_t n : {1, 2, 3}) l.append(n, true);
  l.checkpoint("two");
  l.append(4, true);
  l.overwrite("log.1", first_record + 4, "torn");
  auto found = l.found();
  CHECK(found.checkpoint == "two");
  REQUIRE(found.records.size() == 1);
  CHECK(found.records[0].number == 4);
}

TEST_CASE("log: what was synced and does not fit any more is damage") {
  cut_log l;
  l.checkpoint("one");
  for (uint64_t n : {1, 2, 3}) l.append(n, true);
  l.overwrite("log.1", first_record + 4, "torn");
  CHECK_THROWS_AS(l.found(), store_failure);
}

TEST_CASE("log: it does not go on where more batches lie behind a torn one") {
  cut_log l;
  l.checkpoint("one");
  CHECK(l.found().untouched);
  for (uint64_t n : {1, 2, 3}) l.append(n, false);
  l.overwrite("log.1", first_record + 4, "torn");
  auto found = l.found();
  CHECK(found.present);
  CHECK(found.records.empty());
  CHECK_FALSE(found.untouched);
}

TEST_CASE("log: it does not go on behind a checkpoint that was not completed") {
  cut_log l;
  l.checkpoint("one");
  l.checkpoint("two", false);
  auto found = l.found();
  CHECK(found.checkpoint == "one");
  CHECK_FALSE(found.untouched);
}

TEST_CASE("log: a recovery that is cut while it replaces the last checkpoint has lost nothing") {
  cut_log l;
  l.checkpoint("one");
  l.append(1, true);
  l.checkpoint("two", false);
  l.append(2, true);
  auto before = content(l.dir.path() / "log.1");
  write_log recovery{l.dir.path()};  // has applied both and synced the environment
  recovery.begin("three");
  CHECK_FALSE(l.found().present);
  // Whatever else of the new one has not reached the disk.
  before.replace(512, 512, 512, '\0');
  l.overwrite("log.1", 0, before);
  CHECK_FALSE(l.found().present);
  l.overwrite("log.1", 0, std::string(64 << 10, '\0'));
  CHECK_FALSE(l.found().present);
}

#include "storage_fixture.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace vagus;
using namespace vagus::testing;

namespace {

/// KiB that the process holds besides mapped files.
uint64_t anonymous_kib() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return std::stoull(line.substr(8));
  return 0;
}

/// How much more a stream takes for `count` ids within an hour.
uint64_t kib_for_ids(size_t count) {
  scratch dir;
  lmdb_store_options options;
  options.sync = false;
  auto store = std::move(*lmdb_store::open(dir.path(), "IDS", options));
  batch_builder first{second};
  store_limits limits;
  limits.duplicate_window_ns = 3600 * second;
  limits.max_msgs = 1000;  // the ids stay, the messages need not
  store->append(first.add(configure_proposal{limits, "{}"}).bytes());
  auto before = anonymous_kib();
  for (size_t n = 0; n < count;) {
    batch_builder batch{second + static_cast<int64_t>(n)};
    for (int i = 0; i < 5000; ++i, ++n) {
      auto id = "message-id-" + std::to_string(n);
      store_proposal p;
      p.subject = "a";
      p.msg_id = id;
      batch.add(p);
    }
    if (store->append(batch.bytes()).error) return UINT64_MAX;
  }
  auto after = anonymous_kib();
  return after > before ? after - before : 0;
}

}  // namespace

// A sanitizer keeps what was freed: memory says nothing there.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("storage: memory does not grow with the ids in the window") {
  // Past the point from which on the table in memory is as large as it gets.
  INFO("KiB for 400,000 ids");
  REQUIRE(kib_for_ids(400'000) < 64 * 1024);
}
#endif

TEST_CASE("storage: five million ids within an hour take less than 200 MB", "[.torture]") {
  auto kib = kib_for_ids(5'000'000);
  WARN("5 million ids: " << kib << " KiB besides the page cache");
  REQUIRE(kib < 200 * 1000);
}

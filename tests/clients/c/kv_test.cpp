#include "tests/clients/c/stream_client.hpp"

#include <algorithm>

using namespace vagus::clients;

namespace {

using entry = std::unique_ptr<kvEntry, destroyer<kvEntry, kvEntry_Destroy>>;

/// A connection and the bucket B.
struct bucket {
  stream_client on;
  kvStore* kv = nullptr;

  explicit bucket(uint8_t history = 1) {
    kvConfig config;
    kvConfig_Init(&config);
    config.Bucket = "B";
    config.History = history;
    must(js_CreateKeyValue(&kv, on.js, &config));
  }
  ~bucket() { kvStore_Destroy(kv); }
  bucket(const bucket&) = delete;
  bucket& operator=(const bucket&) = delete;

  uint64_t put(const char* key, const char* value) const {
    uint64_t revision = 0;
    must(kvStore_PutString(&revision, kv, key, value));
    return revision;
  }

  /// The value of a key; nothing if there is none.
  std::optional<std::string> value(const char* key) const {
    kvEntry* raw = nullptr;
    auto status = kvStore_Get(&raw, kv, key);
    if (status == NATS_NOT_FOUND) return std::nullopt;
    must(status);
    return kvEntry_ValueString(entry{raw}.get());
  }

  strings keys() const {
    kvKeysList list{};
    must(kvStore_Keys(&list, kv, nullptr));
    strings result{list.Keys, list.Keys + list.Count};
    kvKeysList_Destroy(&list);
    std::sort(result.begin(), result.end());
    return result;
  }
};

/// An entry in a few words: key and value, or key and operation.
std::string told(const entry& e) {
  if (!e) return "all";
  const std::string key = kvEntry_Key(e.get());
  switch (kvEntry_Operation(e.get())) {
    case kvOp_Delete:
      return key + " deleted";
    case kvOp_Purge:
      return key + " purged";
    default:
      return key + "=" + kvEntry_ValueString(e.get());
  }
}

/// The next thing that a watcher tells.
std::string next(kvWatcher* watcher) {
  kvEntry* raw = nullptr;
  must(kvWatcher_Next(&raw, watcher, patience_ms));
  return told(entry{raw});
}

}  // namespace

TEST_CASE("kv: what is put is got") {
  bucket b;
  CHECK_FALSE(b.value("a"));
  CHECK(b.put("a", "one") == 1);
  CHECK(b.put("a", "two") == 2);
  CHECK(b.put("b.c", "") == 3);
  CHECK(b.value("a") == "two");
  CHECK(b.value("b.c") == "");
}

TEST_CASE("kv: create and update hold only for the revision that is there") {
  bucket b;
  uint64_t revision = 0;
  must(kvStore_CreateString(&revision, b.kv, "a", "one"));
  CHECK(kvStore_CreateString(nullptr, b.kv, "a", "two") != NATS_OK);
  must(kvStore_UpdateString(&revision, b.kv, "a", "three", revision));
  CHECK(kvStore_UpdateString(nullptr, b.kv, "a", "four", 1) != NATS_OK);
  CHECK(b.value("a") == "three");
  must(kvStore_Delete(b.kv, "a"));
  CHECK_FALSE(b.value("a"));
  must(kvStore_CreateString(&revision, b.kv, "a", "five"));
  CHECK(b.value("a") == "five");
}

TEST_CASE("kv: history, deletion and purge") {
  bucket b{4};
  for (const auto* value : {"1", "2", "3"}) b.put("a", value);
  must(kvStore_Delete(b.kv, "a"));
  b.put("b", "x");
  auto history = [&] {
    kvEntryList list{};
    must(kvStore_History(&list, b.kv, "a", nullptr));
    strings result;
    for (int i = 0; i < list.Count; ++i) {
      entry e{std::exchange(list.Entries[i], nullptr)};
      result.push_back(told(e));
    }
    kvEntryList_Destroy(&list);
    return result;
  };
  CHECK(history() == strings{"a=1", "a=2", "a=3", "a deleted"});
  CHECK(b.keys() == strings{"b"});
  must(kvStore_Purge(b.kv, "a", nullptr));
  CHECK(history() == strings{"a purged"});
  kvPurgeOptions how;
  kvPurgeOptions_Init(&how);
  how.DeleteMarkersOlderThan = -1;
  must(kvStore_PurgeDeletes(b.kv, &how));
  CHECK(b.value("b") == "x");
  kvStatus* status = nullptr;
  must(kvStore_Status(&status, b.kv));
  CHECK(kvStatus_Values(status) == 1);
  CHECK(kvStatus_History(status) == 4);
  kvStatus_Destroy(status);
}

TEST_CASE("kv: a watcher tells what is there and what happens") {
  bucket b;
  b.put("a", "1");
  b.put("b.x", "2");
  kvWatcher* all = nullptr;
  kvWatcher* some = nullptr;
  must(kvStore_WatchAll(&all, b.kv, nullptr));
  must(kvStore_Watch(&some, b.kv, "b.*", nullptr));
  CHECK(next(all) == "a=1");
  CHECK(next(all) == "b.x=2");
  CHECK(next(all) == "all");
  CHECK(next(some) == "b.x=2");
  CHECK(next(some) == "all");
  b.put("a", "3");
  must(kvStore_Delete(b.kv, "b.x"));
  must(kvStore_Purge(b.kv, "b.x", nullptr));
  CHECK(next(all) == "a=3");
  CHECK(next(all) == "b.x deleted");
  CHECK(next(all) == "b.x purged");
  CHECK(next(some) == "b.x deleted");
  CHECK(next(some) == "b.x purged");
  kvWatcher_Destroy(all);
  kvWatcher_Destroy(some);
}

TEST_CASE("kv: values are there after a restart") {
  bucket b;
  b.put("a", "one");
  b.put("b", "two");
  REQUIRE(b.on.server.stop() == 0);
  b.on.server.start();
  REQUIRE(eventually([&] { return b.on.nc.seen().reconnected > 0; }));
  CHECK(b.value("a") == "one");
  CHECK(b.keys() == strings{"a", "b"});
  CHECK(b.put("a", "three") == 3);
}

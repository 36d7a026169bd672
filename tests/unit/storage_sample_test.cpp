#include "storage_fixture.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>

using namespace vagus;
using namespace vagus::testing;

namespace fs = std::filesystem;

namespace {

std::unique_ptr<lmdb_store> open_sample(const fs::path& dir, bool read_only = false) {
  lmdb_store_options options;
  options.gone_apart = 2;
  options.read_only = read_only;
  auto opened = lmdb_store::open(dir, "SAMPLE", options);
  if (!opened) FAIL(opened.error().text);
  return std::move(*opened);
}

std::string text(int i) {
  std::string all;
  for (int k = 0; k < 40; ++k) all += "message " + std::to_string(i) + " says " + std::to_string(k);
  return all;
}

bool is_removed(int i) {
  return i == 3 || i == 12 || i == 40 || i == 50;
}

/// Messages 1 to 70, of which 1 to 9 and 21 to 70 are packed as far as they can be. Of those that
/// are removed all but 3 are still in the index.
void write_sample(const fs::path& dir) {
  scratch made;
  auto store = open_sample(made.path());
  batch_builder batch{1'700'000'000 * second, 41};
  store_limits limits;
  limits.max_msgs = 100;
  limits.duplicate_window_ns = 120 * second;
  limits.subject_delete_marker_ttl_ns = 90 * second;
  limits.discard_new_per_subject = true;
  for (int i = 1; i <= 70; ++i) {
    limits.compress = i < 10 || i > 20;
    if (i == 1 || i == 10 || i == 21) batch.add(configure_proposal{limits, R"({"name":"SAMPLE"})"});
    auto id = "id" + std::to_string(i);
    auto payload = i % 5 == 0 ? text(i) : id;
    store_proposal p;
    p.subject = i % 7 == 0 ? "sample.seven" : "sample.other";
    p.headers = i % 10 < 6 ? "NATS/1.0\r\nA: b\r\n\r\n" : "";
    p.payload = payload;
    p.msg_id = id;
    p.ttl_ns = i == 2 ? 3600 * second : ttl_none;
    batch.add(p);
  }
  batch.add(delete_proposal{3}).add(consumer_put_proposal{"worker", "row"});
  REQUIRE_FALSE(store->append(batch.bytes()).error);
  store.reset();
  store = open_sample(made.path());
  batch_builder more{1'700'000'000 * second};
  for (uint64_t seq : {40, 12, 50}) more.add(delete_proposal{seq});
  REQUIRE_FALSE(store->append(more.bytes()).error);
  REQUIRE_FALSE(store->copy(dir, true, {}));
}

/// A copy of it, to be written to.
void copy_sample(const char* name, const scratch& to) {
  fs::copy(fs::path{VAGUS_TEST_DATA} / name, to.path(), fs::copy_options::recursive);
}

/// Where a message with the id of one that was removed is.
uint64_t place_of_retry(lmdb_store& store) {
  store_proposal retry;
  retry.subject = "sample.other";
  retry.msg_id = "id3";
  batch_builder batch{1'700'000'001 * second};
  return store.append(batch.add(retry).bytes()).outcomes.at(0).seq;
}

void check_meta(const store_meta& meta) {
  REQUIRE(meta.limits.max_msgs == 100);
  REQUIRE(meta.limits.subject_delete_marker_ttl_ns == 90 * second);
}

}  // namespace

TEST_CASE("storage: the stored sample of format 1 reads as it was written") {
  scratch dir;
  copy_sample("stream-format-1", dir);
  auto store = open_sample(dir.path());
  REQUIRE(store->verify(5, {}).empty());
  auto snapshot = std::move(*store->read());
  REQUIRE(snapshot->meta().applied == 41);
  check_meta(snapshot->meta());
  REQUIRE(*snapshot->config() == R"({"name":"SAMPLE"})");
  REQUIRE(snapshot->state().msgs == 69);
  REQUIRE(snapshot->message(1)->headers == "NATS/1.0\r\nA: b\r\n\r\n");
  REQUIRE(snapshot->message(2)->expires_ns == (1'700'000'000 + 3600) * second);
  REQUIRE(snapshot->message(70)->payload == "id70");
  REQUIRE(*snapshot->count("sample.seven") == 10);
  REQUIRE(*snapshot->last("sample.other") == 69);
  REQUIRE(**snapshot->consumer("worker") == "row");
  snapshot.reset();
  REQUIRE(place_of_retry(*store) == 3);
}

TEST_CASE("storage: a store of format 1 that was opened for writing says format 2") {
  scratch dir;
  copy_sample("stream-format-1", dir);
  auto says = [&](char version) {
    std::ifstream file{dir.path() / "data.mdb", std::ios::binary};
    std::string all{std::istreambuf_iterator<char>{file}, {}};
    return all.find(std::string{"vagus-stream"} + version + std::string(3, '\0')) != all.npos;
  };
  open_sample(dir.path(), true).reset();
  REQUIRE_FALSE(says(2));
  open_sample(dir.path()).reset();
  REQUIRE(says(2));
  REQUIRE((*open_sample(dir.path())->read())->state().msgs == 69);
}

// Run with VAGUS_WRITE_SAMPLE=DIR to make the sample anew when the format changes (and its
// version).
TEST_CASE("storage: the stored sample of format 2 reads as it was written") {
  if (auto* into = std::getenv("VAGUS_WRITE_SAMPLE")) write_sample(into);
  scratch dir;
  copy_sample("stream-format-2", dir);
  auto store = open_sample(dir.path());
  REQUIRE(store->verify(5, {}).empty());
  auto snapshot = std::move(*store->read());
  REQUIRE(snapshot->meta().applied == 42);
  check_meta(snapshot->meta());
  REQUIRE(snapshot->meta().limits.compress);
  REQUIRE(snapshot->meta().limits.discard_new_per_subject);
  REQUIRE(*snapshot->config() == R"({"name":"SAMPLE"})");
  REQUIRE(snapshot->state().msgs == 66);
  for (int i = 1; i <= 70; ++i) {
    auto found = snapshot->message(static_cast<uint64_t>(i));
    REQUIRE(static_cast<bool>(found) == !is_removed(i));
    if (!found) continue;
    auto m = *found;
    REQUIRE(m.payload == (i % 5 == 0 ? text(i) : "id" + std::to_string(i)));
    REQUIRE(m.headers == (i % 10 < 6 ? "NATS/1.0\r\nA: b\r\n\r\n" : ""));
    REQUIRE(snapshot->head(m.seq)->packed == (i % 5 == 0 && (i < 10 || i > 20)));
  }
  REQUIRE(snapshot->message(2)->expires_ns == (1'700'000'000 + 3600) * second);
  REQUIRE(*snapshot->count("sample.seven") == 10);
  REQUIRE(**snapshot->consumer("worker") == "row");
  snapshot.reset();
  REQUIRE(place_of_retry(*store) == 3);
}

TEST_CASE("storage: what a store of format 1 says of removed messages counts") {
  scratch dir;
  copy_sample("stream-format-1-removed", dir);
  bool read_only = GENERATE(true, false);
  auto store = open_sample(dir.path(), read_only);
  CHECK(store->verify(5, {}).empty());
  auto snapshot = std::move(*store->read());
  CHECK(snapshot->state().msgs == 53);
  CHECK(*snapshot->count("sample.*") == 53);
  CHECK(*snapshot->count("sample.0") == 16);  // of 20, without 3, 21, 33 and 60
  CHECK(*snapshot->next("sample.*", 19, 2) == std::vector<uint64_t>{19, 22});
  CHECK_FALSE(snapshot->message(50));
  snapshot.reset();
  if (read_only) return;
  batch_builder batch{1'800'000'000 * second};
  batch.add(delete_proposal{40});
  CHECK_FALSE(store->append(batch.bytes()).error);
  CHECK(*(*store->read())->count("sample.*") == 52);
  store.reset();
  CHECK(open_sample(dir.path())->verify(5, {}).empty());
}

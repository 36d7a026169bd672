#include "resident_maps.hpp"
#include "storage/lmdb_resident.hpp"
#include "storage_fixture.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace vagus;
using namespace vagus::testing;

namespace {

uint64_t resident(const bench_store& store) {
  return resident_maps(store.path());
}

struct read_store : bench_store {
  read_store() : bench_store{kind::lmdb} {
    for (int i = 1; i <= 500; ++i) store("s." + std::to_string(i), std::string(2000, 'x'));
    read_all();
  }
  void read_all() {
    for (uint64_t seq = 1; seq <= 500; ++seq) REQUIRE(payload(seq).size() == 2000);
  }
};

}  // namespace

TEST_CASE("resident: a store at rest gives its map back, once") {
  read_store store;
  CHECK(give_back_unused_maps() == 0);
  CHECK(resident(store) > 1000);
  CHECK(give_back_unused_maps() == 1);
  CHECK(resident(store) == 0);
  CHECK(give_back_unused_maps() == 0);
  store.read_all();
  CHECK(resident(store) > 1000);
}

TEST_CASE("resident: a store that is read or written keeps its map") {
  read_store store;
  for (int i = 0; i < 3; ++i) {
    give_back_unused_maps();
    CHECK(resident(store) > 1000);
    store.payload(1);
    give_back_unused_maps();
    CHECK(resident(store) > 1000);
    store.store("s.1");
  }
}

TEST_CASE("resident: a snapshot keeps the map for as long as it is held") {
  read_store store;
  {
    auto snapshot = store->read();
    for (int i = 0; i < 3; ++i) CHECK(give_back_unused_maps() == 0);
  }
  CHECK(give_back_unused_maps() == 0);
  CHECK(give_back_unused_maps() == 1);
}

TEST_CASE("resident: a map that has grown, or was opened again, is found where it is now") {
  auto options = small_steps();
  options.first_map = 1 << 20;
  bench_store store{bench_store::kind::lmdb, options};
  auto settles = [&] {
    store.payload(1);
    CHECK(resident(store) > 0);
    give_back_unused_maps();
    CHECK(give_back_unused_maps() == 1);
    CHECK(resident(store) == 0);
  };
  store.store("s", "x");
  settles();
  for (int i = 0; i < 2000; ++i) store.store("s", std::string(4000, 'x'));
  settles();
  store.reopen();
  settles();
}

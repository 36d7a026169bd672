#include "storage_fixture.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>

namespace vagus::testing {

namespace fs = std::filesystem;

scratch::scratch() {
  std::string name = (fs::temp_directory_path() / "vagus-storage-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

scratch::~scratch() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

lmdb_store_options small_steps() {
  lmdb_store_options options;
  options.sync = false;
  options.report_removed = true;
  options.changes_per_fold = 40;
  options.gone_apart = 2;
  options.taken_out_per_batch = 5;
  options.ids_per_fold = 16;
  options.ids_per_bucket = 64;
  return options;
}

bench_store::bench_store(kind k, lmdb_store_options options) : kind_{k}, options_{options} {
  if (kind_ == kind::memory) {
    store_ = std::make_unique<memory_store>("ORDERS", memory_store_options{true});
  } else {
    reopen();
  }
}

void bench_store::reopen() {
  if (kind_ == kind::memory) return;
  store_.reset();
  auto opened = lmdb_store::open(dir_.path(), "ORDERS", options_);
  if (!opened) FAIL(opened.error().text);
  store_ = std::move(*opened);
}

applied bench_store::apply(const proposal& p) {
  batch_builder batch{now};
  batch.add(p);
  auto result = store_->append(batch.bytes());
  INFO(result.error.text);
  REQUIRE_FALSE(result.error);
  return result;
}

outcome bench_store::store(std::string_view subject, std::string_view payload,
                           std::string_view id) {
  store_proposal p;
  p.subject = subject;
  p.payload = payload;
  p.msg_id = id;
  return propose(p);
}

void bench_store::configure(const store_limits& limits, std::string_view blob) {
  propose(configure_proposal{limits, blob});
}

store_state bench_store::state() {
  return (*store_->read())->state();
}

std::string bench_store::payload(uint64_t seq) {
  auto snapshot = store_->read();
  auto m = (*snapshot)->message(seq);
  return m ? std::string{m->payload} : to_text(m.error().code);
}

std::vector<uint64_t> bench_store::next(std::string_view filter, uint64_t from, size_t at_most) {
  auto snapshot = store_->read();
  return *(*snapshot)->next(filter, from, at_most);
}

uint64_t bench_store::last(std::string_view filter) {
  auto snapshot = store_->read();
  return *(*snapshot)->last(filter);
}

uint64_t bench_store::count(std::string_view filter, uint64_t from) {
  auto snapshot = store_->read();
  return *(*snapshot)->count(filter, from);
}

}  // namespace vagus::testing

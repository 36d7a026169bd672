#pragma once

#include "storage/batch.hpp"
#include "storage/lmdb_store.hpp"
#include "storage/memory_store.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace vagus::testing {

constexpr int64_t second = 1'000'000'000;

/// A directory of its own that goes with the object.
class scratch {
public:
  scratch();
  ~scratch();
  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

/// Folds after a few changes and does not wait for the disk.
lmdb_store_options small_steps();

/// A store and a clock, with the operations as one line each.
class bench_store {
public:
  enum class kind { memory, lmdb };

  explicit bench_store(kind k, lmdb_store_options options = small_steps());

  message_store& operator*() { return *store_; }
  message_store* operator->() { return store_.get(); }
  lmdb_store& lmdb() { return dynamic_cast<lmdb_store&>(*store_); }
  const std::filesystem::path& path() const { return dir_.path(); }

  int64_t now = 1000 * second;

  applied apply(const proposal& p);
  outcome propose(const proposal& p) { return apply(p).outcomes.at(0); }
  outcome store(std::string_view subject, std::string_view payload = "x", std::string_view id = {});
  void configure(const store_limits& limits, std::string_view blob = "{}");
  void reopen();
  void close() { store_.reset(); }

  store_state state();
  std::string payload(uint64_t seq);
  std::vector<uint64_t> next(std::string_view filter, uint64_t from = 0, size_t at_most = 100);
  uint64_t last(std::string_view filter);
  uint64_t count(std::string_view filter, uint64_t from = 0);

private:
  scratch dir_;
  kind kind_;
  lmdb_store_options options_;
  std::unique_ptr<message_store> store_;
};

}  // namespace vagus::testing

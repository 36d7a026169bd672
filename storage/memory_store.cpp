#include "storage/memory_store.hpp"

#include "storage/apply.hpp"

#include <mutex>

namespace vagus {

namespace {

class memory_snapshot : public store_snapshot {
public:
  memory_snapshot(memory_tables& rows, std::shared_mutex& mutex) : lock_{mutex}, rows_{rows} {
    meta_ = rows.meta();
  }

  store_result<std::string> config() override { return rows_.config; }

  bool find(uint64_t seq, stored_head& head, store_error& error) override {
    auto m = rows_.head(seq);
    if (m)
      head = *m;
    else
      error = {store_errc::no_message, seq, {}};
    return m.has_value();
  }

  store_result<uint64_t> first_at_or_after(uint64_t seq) override {
    return rows_.first_at_or_after(seq);
  }

  store_result<std::vector<uint64_t>> next(std::string_view filter, uint64_t from,
                                           size_t at_most) override {
    return rows_.filter_next(filter, from, at_most);
  }

  store_result<uint64_t> last(std::string_view filter) override {
    return rows_.filter_last(filter);
  }

  store_result<uint64_t> count(std::string_view filter, uint64_t from) override {
    return rows_.filter_count(filter, from);
  }

  store_result<std::vector<subject_count>> subjects(std::string_view filter, std::string_view after,
                                                    size_t at_most) override {
    return rows_.subjects(filter, after, at_most);
  }

  store_result<std::vector<uint64_t>> last_per_subject(std::string_view filter,
                                                       uint64_t up_to) override {
    return rows_.last_per_subject(filter, up_to);
  }

  store_result<std::optional<std::string>> consumer(std::string_view name) override {
    auto at = rows_.consumers.find(name);
    if (at == rows_.consumers.end()) return std::optional<std::string>{};
    return std::optional{at->second};
  }

  store_result<std::vector<std::string>> consumers(std::string_view after,
                                                   size_t at_most) override {
    std::vector<std::string> names;
    for (auto at = rows_.consumers.upper_bound(after);
         at != rows_.consumers.end() && names.size() < at_most; ++at)
      names.push_back(at->first);
    return names;
  }

private:
  std::shared_lock<std::shared_mutex> lock_;
  memory_tables& rows_;
};

}  // namespace

memory_store::memory_store(std::string stream, memory_store_options options)
    : rows_{std::move(stream)}, options_{options} {}

applied memory_store::append(std::string_view batch) {
  std::unique_lock lock{mutex_};
  if (auto wrong = check_batch(batch)) {
    applied refused;
    refused.error = std::move(wrong);
    return refused;
  }
  return apply_batch(rows_, batch, options_.report_removed);
}

store_result<std::unique_ptr<store_snapshot>> memory_store::read() {
  return std::unique_ptr<store_snapshot>{std::make_unique<memory_snapshot>(rows_, mutex_)};
}

}  // namespace vagus

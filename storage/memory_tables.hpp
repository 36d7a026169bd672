#pragma once

#include "storage/tables.hpp"

#include <deque>
#include <map>
#include <set>
#include <unordered_map>

namespace vagus {

/// The rows of a stream that is kept in memory.
class memory_tables : public tables {
public:
  explicit memory_tables(std::string stream) { meta_.stream = std::move(stream); }

  store_meta& meta() override { return meta_; }
  uint64_t stored_size(size_t subject, size_t headers, size_t payload) const override;
  bool put_message(const stored_message& m) override;
  std::optional<stored_head> head(uint64_t seq) override;
  bool remove_message(uint64_t seq, std::string_view subject, int64_t expires_ns) override;
  void remove_all_messages() override;
  uint64_t first_at_or_after(uint64_t seq) override;
  std::optional<std::pair<int64_t, uint64_t>> first_ttl() override;
  uint64_t subject_msgs(std::string_view subject) override;
  uint64_t subject_first(std::string_view subject) override;
  uint64_t filter_last(std::string_view filter) override;
  uint64_t filter_msgs(std::string_view filter) override { return filter_count(filter, 0); }
  std::vector<uint64_t> filter_next(std::string_view filter, uint64_t from,
                                    size_t at_most) override;
  std::vector<subject_count> subjects_after(std::string_view after, size_t at_most) override;
  uint64_t find_id(std::string_view id, int64_t after_ns) override;
  void add_id(std::string_view id, uint64_t seq, int64_t time_ns) override;
  bool expire_ids(int64_t up_to_ns, size_t at_most) override;
  void put_config(std::string_view blob) override { config = blob; }
  void put_consumer(std::string_view name, std::string_view row) override;
  bool remove_consumer(std::string_view name) override;

  uint64_t filter_count(std::string_view filter, uint64_t from);
  std::vector<subject_count> subjects(std::string_view filter, std::string_view after,
                                      size_t at_most);
  std::vector<uint64_t> last_per_subject(std::string_view filter, uint64_t up_to);

  std::string config;
  std::map<std::string, std::string, std::less<>> consumers;

private:
  struct record {
    int64_t time_ns;
    int64_t expires_ns;
    uint32_t subject_size;
    uint32_t headers_size;
    std::string bytes;  // subject, headers, payload
  };

  /// Sequences of one subject. Those removed stay in the list until half of it is removed, so that
  /// a removal costs the same everywhere in it; `begin` skips what is removed at the front.
  struct sequences {
    std::vector<uint64_t> seqs;
    size_t begin = 0;
    uint64_t live = 0;
  };

  struct known_id {
    std::string id;
    int64_t time_ns;
    uint64_t seq;
  };

  using subject_map = std::map<std::string, sequences, std::less<>>;

  bool there(uint64_t seq) const { return messages_.contains(seq); }
  uint64_t next_of(const sequences& s, uint64_t from) const;
  uint64_t last_of(const sequences& s, uint64_t up_to) const;
  void compact(sequences& s);
  template <class F>
  void for_each_match(std::string_view filter, F&& f);

  store_meta meta_;
  std::map<uint64_t, record> messages_;
  subject_map subjects_;
  std::set<std::pair<int64_t, uint64_t>> ttl_;
  std::deque<known_id> ids_;
  std::unordered_map<std::string, std::pair<int64_t, uint64_t>> id_index_;
};

}  // namespace vagus

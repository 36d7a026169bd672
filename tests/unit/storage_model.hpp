#pragma once

#include "storage/batch.hpp"
#include "storage/tables.hpp"

#include <map>

namespace vagus::testing {

/// What a store must do, in the plainest way: one ordered map, and every question a walk over it.
class model {
public:
  explicit model(bool file) : file_{file} {}

  struct message {
    std::string subject, headers, payload;
    int64_t time_ns, expires_ns;
  };

  void begin(int64_t time_ns) {
    now_ = std::max(now_, time_ns);
    markers_.clear();
  }
  outcome apply(const proposal& p);
  /// The end of a batch: lowered limits.
  void end();

  store_state state() const;
  std::vector<uint64_t> matching(std::string_view filter, uint64_t from) const;
  std::map<std::string, uint64_t> counts(std::string_view filter) const;
  const std::map<uint64_t, message>& messages() const { return messages_; }
  const std::map<std::string, std::string>& consumers() const { return consumers_; }
  /// Of the last batch.
  const std::vector<stored_marker>& markers() const { return markers_; }
  std::vector<uint64_t> last_per_subject(std::string_view filter, uint64_t up_to) const;

private:
  outcome store(const store_proposal& p);
  outcome purge(const purge_proposal& p);
  outcome expire();
  void expire_one(uint64_t seq);
  void note_id(const std::string& id, int64_t time, bool placed);
  void limit();
  uint64_t size(const message& m) const;
  uint64_t bytes() const;

  bool file_;
  int64_t now_ = 0;
  int64_t last_time_ = 0;
  uint64_t first_ = 0;  ///< while there are no messages
  uint64_t last_ = 0;
  std::string last_id_;
  store_limits limits_;
  std::vector<stored_marker> markers_;
  std::map<uint64_t, message> messages_;
  std::map<std::string, std::pair<uint64_t, int64_t>> ids_;
  std::map<std::string, std::string> consumers_;
};

}  // namespace vagus::testing

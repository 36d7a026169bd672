#pragma once

#include "actors/connection_record.hpp"
#include "actors/monitor/json_writer.hpp"
#include "actors/monitor/parameters.hpp"

#include <string>
#include <vector>

namespace vagus {

/// What /subsz is asked for.
struct subsz_options {
  bool subs = false;
  size_t offset = 0;
  size_t limit = 1024;
  std::string account;
  std::string test;  ///< only what a message to this subject would reach; empty: all

  /// Errors are in `from`.
  static subsz_options read(parameters& from);
};

/// How subjects are matched, over all event loops.
struct subject_statistics {
  uint64_t subscriptions = 0;
  uint64_t inserts = 0;
  uint64_t removes = 0;
  uint64_t cached = 0;
  uint64_t cache_hits = 0;
  uint64_t walks = 0;   ///< matches that were not in a cache
  uint64_t fanout = 0;  ///< subscriptions found by all walks
  uint64_t max_fanout = 0;
};

struct found_subscriptions {
  std::vector<connection_record_ptr> of;
  std::vector<subscriptions_view_ptr> found;  ///< one for each of `of`, or null
};

std::string render(const subsz_options& wanted, const subject_statistics& stats,
                   const found_subscriptions& subscriptions, const std::string& server_id,
                   connection_record::wall_clock::time_point now);

/// One subscription. @param account empty: not said
void render_detail(json_writer& out, const subscriptions_view::detail& s, uint64_t cid,
                   const std::string& account);

}  // namespace vagus

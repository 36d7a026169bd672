#pragma once

#include "actors/connection_record.hpp"
#include "actors/monitor/parameters.hpp"

#include <string>
#include <vector>

namespace vagus {

/// What /connz is asked for.
struct connz_options {
  enum class sort_key : uint8_t {
    cid,
    subs,
    pending,
    msgs_to,
    msgs_from,
    bytes_to,
    bytes_from,
    last,
    idle,
    uptime,
    stop,
    reason,
    rtt
  };
  enum class connection_state : uint8_t { open, closed, all };

  sort_key sort = sort_key::cid;
  connection_state state = connection_state::open;
  bool auth = false;
  bool subs = false;
  bool subs_detail = false;
  size_t offset = 0;
  size_t limit = 1024;
  uint64_t cid = 0;  ///< 0: any
  std::string user;
  std::string account;
  std::string mqtt_client;

  /// Errors are in `from`.
  static connz_options read(parameters& from);
};

/// The connections that are asked for, sorted, one page of them.
struct connz_page {
  std::vector<connection_record_ptr> rows;
  /// One for each row, if they are wanted; null: none, or the connection has ended.
  std::vector<subscriptions_view_ptr> subscriptions;
  size_t total = 0;  ///< in that state and account, whatever the user and the page
};

using wall_time = connection_record::wall_clock::time_point;

connz_page select(const connz_options& wanted, const connections_view& from, wall_time now);

std::string render(const connz_options& wanted, const connz_page& page,
                   const std::string& server_id, wall_time now);

}  // namespace vagus

#pragma once

#include <cstdint>
#include <string>

namespace vagus {

/// The client-facing fields of INFO that are the same for every connection.
struct server_info {
  std::string server_id;
  std::string server_name;
  std::string version;
  std::string host;
  int port = 0;
  bool headers = true;
  bool auth_required = false;
  int64_t max_payload = 0;
  bool lame_duck = false;
  bool jetstream = false;
  int api_level = 0;   ///< of JetStream's API; 0: not announced
  std::string domain;  ///< of JetStream; empty: none
};

/// One INFO line, "INFO {...} \r\n".
std::string info_line(const server_info& server, uint64_t client_id, const std::string& client_ip);

/// The INFO that follows the first PONG: as info_line, with `connect_info` and the account that the
/// connection belongs to.
std::string connect_info_line(const server_info& server, uint64_t client_id,
                              const std::string& client_ip, const std::string& account);

}  // namespace vagus

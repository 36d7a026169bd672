#include "net/protocol/server_info.hpp"

#include <nlohmann/json.hpp>

namespace vagus {

namespace {

nlohmann::ordered_json describe(const server_info& server, uint64_t client_id,
                                const std::string& client_ip) {
  nlohmann::ordered_json info{{"server_id", server.server_id},
                              {"server_name", server.server_name},
                              {"version", server.version},
                              {"proto", 1},
                              {"go", "none"},
                              {"host", server.host},
                              {"port", server.port},
                              {"headers", server.headers}};
  if (server.auth_required) info["auth_required"] = true;
  info["max_payload"] = server.max_payload;
  if (server.jetstream) info["jetstream"] = true;
  if (server.lame_duck) info["ldm"] = true;
  info["client_id"] = client_id;
  info["client_ip"] = client_ip;
  if (!server.domain.empty()) info["domain"] = server.domain;
  if (server.api_level > 0) info["api_lvl"] = server.api_level;
  return info;
}

std::string line(const nlohmann::ordered_json& info) {
  return "INFO " + info.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + " \r\n";
}

}  // namespace

std::string info_line(const server_info& server, uint64_t client_id, const std::string& client_ip) {
  return line(describe(server, client_id, client_ip));
}

std::string connect_info_line(const server_info& server, uint64_t client_id,
                              const std::string& client_ip, const std::string& account) {
  auto info = describe(server, client_id, client_ip);
  info["connect_info"] = true;
  info["remote_account"] = account;
  return line(info);
}

}  // namespace vagus

#pragma once

#include "tests/clients/c/client.hpp"
#include "tests/clients/server_process.hpp"

#include <catch2/catch.hpp>

namespace vagus::clients {

/// One server and two connections to it.
struct two_clients {
  server_process server;
  client alice{server.url()};
  client bob{server.url()};
};

using strings = std::vector<std::string>;

inline std::string numbered(int i) {
  return std::to_string(i);
}

}  // namespace vagus::clients

#include "tests/support/http_get.hpp"

#include "tests/support/raw_connection.hpp"

#include <algorithm>
#include <sstream>

namespace vagus::test {

http_response http_get(int port, const std::string& path, const std::string& method) {
  raw_connection connection{port};
  connection.send(method + " " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n");
  const auto deadline = raw_connection::clock::now() + patience;
  while (connection.fill(deadline)) {
  }
  const auto& all = connection.received();
  const auto head_end = all.find("\r\n\r\n");
  if (!connection.closed() || head_end == std::string::npos)
    throw failure{"no complete HTTP response to " + path + ": " + printable(all)};
  http_response response;
  response.body = all.substr(head_end + 4);
  std::istringstream head{all.substr(0, head_end)};
  std::string line;
  head >> line >> response.status;
  std::getline(head, line);
  while (std::getline(head, line)) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    auto name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), ::tolower);
    response.headers[name] = std::string{trim(std::string_view{line}.substr(colon + 1))};
  }
  return response;
}

}  // namespace vagus::test

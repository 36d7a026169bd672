#pragma once

#include <map>
#include <string>

namespace vagus::test {

struct http_response {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// One HTTP/1.0 request to a port on the loopback device: enough for a monitoring endpoint, whose
/// answer then comes unchunked and ends with the connection. Throws `failure`.
http_response http_get(int port, const std::string& path, const std::string& method = "GET");

}  // namespace vagus::test

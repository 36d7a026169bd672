// CONNECT with JSON that is deep, broken or huge.
#include "tests/faults/fault.hpp"

namespace vagus::test {
namespace {

std::string repeated(const std::string& unit, size_t count) {
  std::string all;
  all.reserve(unit.size() * count);
  while (count-- > 0) all += unit;
  return all;
}

// Either it takes the options or it closes; it may say an error before.
void offer(int port, const std::string& json) {
  raw_connection c{port};
  c.read_line();
  c.send("CONNECT " + json + "\r\nPING\r\n");
  const auto deadline = raw_connection::clock::now() + patience;
  while (c.received().find("PONG\r\n") == std::string::npos && c.fill(deadline)) {
  }
  check(c.closed() || c.received().ends_with("PONG\r\n"), "neither: " + printable(c.received()));
}

void deep_json(const std::string& binary) {
  victim server{{binary, {}, "max_control_line: 4194304\n"}};
  const auto port = server->port();
  for (const size_t depth : {1000u, 100'000u, 1'000'000u}) {
    offer(port, repeated("[", depth));
    offer(port, repeated("[", depth) + repeated("]", depth));
    offer(port, "{\"name\":" + repeated("[", depth) + repeated("]", depth) + "}");
    offer(port, "{\"other\":" + repeated("[", depth) + repeated("]", depth) + "}");
    offer(port, repeated("{\"a\":", depth / 2));
  }
  server.check_survived();
}

void huge_json(const std::string& binary) {
  victim server{{binary, {}, "max_control_line: 4194304\n"}};
  const auto port = server->port();
  offer(port, "{\"name\":\"" + std::string(4'000'000, 'n') + "\",\"verbose\":false}");
  offer(port, "{\"protocol\":" + std::string(1'000'000, '9') + "}");
  offer(port, "{\"protocol\":1e999999999}");
  offer(port, "{\"protocol\":1.5}");
  offer(port, "{\"protocol\":-9223372036854775809}");
  std::string keys = "{\"verbose\":false";
  for (int i = 0; i < 200'000; ++i) keys += ",\"k" + std::to_string(i) + "\":" + std::to_string(i);
  offer(port, keys + "}");
  offer(port, "{\"verbose\":false" + repeated(",\"verbose\":false", 100'000) + "}");
  offer(port, "{" + std::string(3'000'000, ' ') + "}");
  server.check_survived();
}

void broken_json(const std::string& binary) {
  victim server{{binary}};
  using namespace std::string_literals;
  for (const auto& json : {"{\"name\":\"\xff\xfe\"}"s,
                           "{\"name\":\"\\ud800\"}"s,
                           "{\"name\":\"\\ud800\\udc0\"}"s,
                           "{\"name\":\"\\u0000\"}"s,
                           "{\"name\":\"a\0b\"}"s,
                           "{\"name\":\"\t\"}"s,
                           "{\"name\":\"\\x\"}"s,
                           "{\"\":\"\"}"s,
                           "{'name':'x'}"s,
                           "{\"name\":\"x\",}"s,
                           "{,}"s,
                           "{\"name\"}"s,
                           "{]"s,
                           "}"s,
                           "{\"verbose\":false}{\"verbose\":true}"s,
                           "//\n{}"s,
                           "{\"verbose\":tru}"s,
                           "nan"s,
                           "\0"s,
                           "{\"name\":\"\xf0\x9f\x98\x80\",\"lang\":\"\\u00e9\"}"s,
                           "{\"user\":[\"a\"]}"s,
                           "{\"pass\":{}}"s,
                           "{\"echo\":[]}"s,
                           "{\"headers\":\"true\"}"s,
                           "{\"no_responders\":1}"s,
                           "\xef\xbb\xbf{}"s})
    offer(server->port(), json);
  server.check_survived();
}

}  // namespace

std::vector<fault> json_faults() {
  return {{"deep json", deep_json}, {"huge json", huge_json}, {"broken json", broken_json}};
}

}  // namespace vagus::test

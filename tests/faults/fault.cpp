#include "tests/faults/fault.hpp"

#include "tests/support/http_get.hpp"

#include <nlohmann/json.hpp>

namespace vagus::test {

void check(bool condition, const std::string& what) {
  if (!condition) throw failure{what};
}

void victim::check_serves() {
  check(server_.process().alive(), "the server died; its log:\n" + server_.log());
  auto subscriber = connect_client(server_.port());
  auto publisher = connect_client(server_.port());
  subscriber.send("SUB after.* 1\r\nSUB after.the work 2\r\n");
  subscriber.barrier();
  publisher.send("PUB after.all 4\r\ndone\r\n");
  publisher.barrier();
  subscriber.expect("MSG after.all 1 4\r\ndone\r\n");
  subscriber.barrier();
}

void victim::check_survived() {
  check_serves();
  server_.stop();
}

void victim::check_memory(uint64_t before, uint64_t mebibytes, const std::string& what) {
  constexpr uint64_t mebibyte = 1024 * 1024;
#ifdef __SANITIZE_ADDRESS__
  mebibytes = 4 * mebibytes + 512;
#endif
  const auto now = server_.rss_bytes();
  check(now < before + mebibytes * mebibyte, what + ": " + std::to_string(before / mebibyte) +
                                                 " MiB became " + std::to_string(now / mebibyte));
}

uint64_t victim::open_files_when_idle() {
  const auto fresh = server_.open_files();
  check_serves();
  eventually([&] { return server_.open_files() <= fresh; }, std::chrono::milliseconds{300});
  return server_.open_files();
}

double victim::varz(const std::string& field) {
  const auto response = http_get(server_.http_port(), "/varz");
  return nlohmann::json::parse(response.body).at(field).get<double>();
}

}  // namespace vagus::test

// The floor: what it costs to move the bytes of 1:1 through a process without any broker in it.
// Reads PUB frames from one socket and writes as many bytes as their MSG frames have to another,
// without looking at them. Serves one pair of connections (publisher first) after another.
#include "frames.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace vagus::bench;

constexpr size_t read_size = 64u << 10;

int listen_on_loopback() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
  return listen(fd, 16) == 0 ? fd : -1;
}

/// The same kind of file that servers announce their ports with.
bool announce(int listener, const std::string& directory) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const std::string path = directory + "/vagus_relay_" + std::to_string(getpid()) + ".ports";
  FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  std::fprintf(file, "{\"nats\":[\"nats://127.0.0.1:%d\"]}", ntohs(address.sin_port));
  return std::fclose(file) == 0;
}

int accept_one(int listener) {
  const int fd = accept(listener, nullptr, nullptr);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

bool write_all(int fd, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

void relay_pair(int from, int to, size_t payload) {
  const size_t in_frame = pub_frame("bench.data", payload).size();
  const std::string out_frame = msg_frame("bench.data", "1", payload);
  const size_t out_at_once = (read_size / in_frame + 2) * out_frame.size();
  std::string pattern;
  while (pattern.size() < out_at_once + out_frame.size()) pattern += out_frame;
  std::vector<char> buffer(read_size);
  uint64_t in = 0, out = 0;
  for (ssize_t n; (n = read(from, buffer.data(), buffer.size())) > 0;) {
    in += static_cast<uint64_t>(n);
    const uint64_t due = in / in_frame * out_frame.size() - out;
    if (!write_all(to, pattern.data(), due)) return;
    out += due;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory;
  size_t payload = 128;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--ports_file_dir") directory = argv[i + 1];
    if (flag == "--payload") payload = std::strtoull(argv[i + 1], nullptr, 10);
  }
  const int listener = listen_on_loopback();
  if (listener < 0 || directory.empty() || !announce(listener, directory)) return 1;
  for (;;) {
    const int from = accept_one(listener);
    const int to = accept_one(listener);
    relay_pair(from, to, payload);
    close(from);
    close(to);
  }
}

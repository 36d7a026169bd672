// kill_disk_test --server PATH full|readonly
// What a server does when its disk is full, or cannot be written. Needs root, for a small file
// system of its own. Exit code 77: skipped, and why.
#include "tests/durability/kill_wire.hpp"
#include "tests/support/server_process.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

namespace {

using namespace vagus::test;

constexpr int skipped = 77;
constexpr size_t disk_size = 192u << 20;
constexpr size_t left_free = 48u << 20;
constexpr size_t payload_size = 8000;

/// Why a check cannot be made here.
struct skip : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A file system in memory. It is mounted where no other process sees it, so that it ends with this
/// one and its children, however they end.
class small_disk {
public:
  explicit small_disk(const std::string& at) : path_{at} {
    std::filesystem::create_directory(path_);
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", path_.c_str(), "tmpfs", 0,
                ("size=" + std::to_string(disk_size)).c_str()) != 0)
      throw skip{std::string{"a file system cannot be mounted here: "} + std::strerror(errno)};
  }
  ~small_disk() { ::umount2(path_.c_str(), MNT_DETACH); }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  void make_writable(bool writable) const {
    if (::mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | (writable ? 0 : MS_RDONLY),
                ("size=" + std::to_string(disk_size)).c_str()) != 0)
      throw failure{std::string{"remount: "} + std::strerror(errno)};
  }

  /// Leaves `left_free` bytes or less.
  void take_space() const {
    const auto free = std::filesystem::space(path_).available;
    if (free <= left_free) return;
    const int fd = ::open(filler().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    const int error = ::posix_fallocate(fd, 0, static_cast<off_t>(free - left_free));
    ::close(fd);
    if (error != 0) throw failure{std::string{"filling the disk: "} + std::strerror(error)};
  }
  void give_back() const { ::unlink(filler().c_str()); }

  std::string store() const { return path_ + "/store"; }

private:
  std::string filler() const { return path_ + "/filler"; }

  std::string path_;
};

server_options options(const std::string& binary, const small_disk& disk) {
  return {binary, {"-js", "-sd", disk.store()}};
}

void create(asker& client) {
  const auto answer =
      client.api("STREAM.CREATE.FULL",
                 R"({"name":"FULL","subjects":["full.>"],"storage":"file","allow_direct":true})");
  if (!answer.contains("config")) throw failure{"not created: " + answer.dump()};
}

std::string payload_of(uint64_t sequence) {
  return std::to_string(sequence) + std::string(payload_size, 'p');
}

/// The answer to a message that becomes `sequence` if it is stored.
nlohmann::json publish(asker& client, uint64_t sequence) {
  return client.ask("full.x", payload_of(sequence)).json();
}

void expect_readable(asker& client, uint64_t sequence) {
  const auto message =
      client.ask("$JS.API.DIRECT.GET.FULL", "{\"seq\":" + std::to_string(sequence) + "}");
  if (message.payload != payload_of(sequence))
    throw failure{"message " + std::to_string(sequence) + " cannot be read: " + message.headers +
                  printable(message.payload, 80)};
}

void expect_all(asker& client, uint64_t count) {
  const auto state = client.api("STREAM.INFO.FULL").at("state");
  if (state["messages"] != count || state["first_seq"] != 1)
    throw failure{std::to_string(count) + " were acknowledged, but: " + state.dump()};
  const auto all = client.read_all("FULL", 1);
  for (uint64_t i = 0; i < count; ++i)
    if (all.size() != count || all[i].payload != payload_of(i + 1))
      throw failure{"message " + std::to_string(i + 1) + " is not as it was sent"};
}

/// Publishes until the server refuses; how many it took before.
uint64_t fill(asker& client) {
  constexpr uint64_t more_than_fits = disk_size / payload_size;
  for (uint64_t sequence = 1; sequence <= more_than_fits; ++sequence) {
    const auto answer = publish(client, sequence);
    if (answer.contains("error")) {
      const auto& error = answer["error"];
      if (!error.contains("code") || !error.contains("err_code") || !error.contains("description"))
        throw failure{"not an error of JetStream: " + answer.dump()};
      std::printf("      after %llu messages: %s\n", static_cast<unsigned long long>(sequence - 1),
                  error.dump().c_str());
      return sequence - 1;
    }
    if (answer.value("seq", uint64_t{0}) != sequence)
      throw failure{"message " + std::to_string(sequence) + ": " + answer.dump()};
  }
  throw failure{"more was acknowledged than the disk can hold"};
}

/// Space comes back without the server's doing, and so it is found by trying.
void expect_writable_again(asker& client, uint64_t sequence) {
  nlohmann::json answer;
  const bool taken = eventually([&] {
    answer = publish(client, sequence);
    return answer.value("seq", uint64_t{0}) == sequence;
  });
  if (!taken) throw failure{"no message is taken although there is space: " + answer.dump()};
}

void full_disk(const std::string& binary, const temp_dir& dir) {
  const small_disk disk{dir.path() + "/disk"};
  uint64_t count = 0;
  {
    // The disk fills up behind the server's back: its own limits must not come first.
    server_process server{options(binary, disk), dir.path()};
    asker client{server.port()};
    create(client);
    disk.take_space();
    count = fill(client);
    if (count == 0) throw failure{"not even one message was taken"};
    for (uint64_t sequence : {uint64_t{1}, (count + 1) / 2, count})
      expect_readable(client, sequence);
    expect_all(client, count);
    // A place may be found for another one, but then it has to stay.
    if (publish(client, count + 1).value("seq", uint64_t{0}) == count + 1) ++count;
    connect_client(server.port()).barrier();
    disk.give_back();
    expect_writable_again(client, ++count);
    expect_all(client, count);
    disk.take_space();
    server.process().signal(SIGKILL);
    server.process().wait();
  }
  disk.give_back();
  server_process server{options(binary, disk), dir.path()};
  asker client{server.port()};
  expect_all(client, count);
  expect_writable_again(client, count + 1);
  server.stop();
}

/// A start that fails has to say of which directory; one that succeeds has to read and to refuse.
void start_without_writing(const std::string& binary, const temp_dir& dir, const small_disk& disk,
                           uint64_t count) {
  auto started = options(binary, disk);
  child_process probe{{started.binary, "-a", "127.0.0.1", "-p", "-1", "-js", "-sd", disk.store()},
                      dir.path() + "/probe.log"};
  if (const auto code = probe.wait(std::chrono::seconds{3})) {
    const auto log = read_file(dir.path() + "/probe.log");
    if (*code <= 0) throw failure{"ended with " + std::to_string(*code) + ": " + log};
    if (log.find(disk.store()) == std::string::npos)
      throw failure{"ended without naming the directory: " + log};
    std::printf("      refuses to start: %s\n", std::string{trim(log)}.c_str());
    return;
  }
  probe.signal(SIGKILL);
  probe.wait();
  server_process server{started, dir.path()};
  asker client{server.port()};
  expect_all(client, count);
  const auto answer = publish(client, count + 1);
  if (!answer.contains("error")) throw failure{"acknowledged without a disk: " + answer.dump()};
  std::printf("      reads, and refuses messages: %s\n", answer.dump().c_str());
}

void read_only(const std::string& binary, const temp_dir& dir) {
  const small_disk disk{dir.path() + "/disk"};
  constexpr uint64_t count = 100;
  {
    server_process server{options(binary, disk), dir.path()};
    asker client{server.port()};
    create(client);
    for (uint64_t sequence = 1; sequence <= count; ++sequence)
      if (publish(client, sequence).value("seq", uint64_t{0}) != sequence)
        throw failure{"message " + std::to_string(sequence) + " was not stored"};
    server.stop();
  }
  disk.make_writable(false);
  start_without_writing(binary, dir, disk, count);
  disk.make_writable(true);
  server_process server{options(binary, disk), dir.path()};
  asker client{server.port()};
  expect_all(client, count);
  expect_writable_again(client, count + 1);
  server.stop();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 4 ? argv[3] : "";
  if (argc != 4 || std::string{argv[1]} != "--server" || (what != "full" && what != "readonly")) {
    std::fprintf(stderr, "usage: kill_disk_test --server PATH full|readonly\n");
    return 2;
  }
  ::signal(SIGPIPE, SIG_IGN);
  const temp_dir dir;
  try {
    what == "full" ? full_disk(argv[2], dir) : read_only(argv[2], dir);
    std::printf("ok    %s\n", what.c_str());
    return 0;
  } catch (const skip& s) {
    std::printf("skipped: %s\n", s.what());
    return skipped;
  } catch (const std::exception& e) {
    const auto log = read_file(dir.path() + "/server.log");
    std::printf("FAIL  %s\n  %s\n  the end of the server's log:\n%s\n", what.c_str(), e.what(),
                log.substr(log.size() - std::min<size_t>(log.size(), 1000)).c_str());
    return 1;
  }
}

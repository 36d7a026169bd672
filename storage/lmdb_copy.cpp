#include "storage/lmdb_pages.hpp"
#include "storage/lmdb_store_impl.hpp"
#include "storage/lmdb_verify.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace vagus {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail_system(int code, const std::string& what) {
  bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  throw store_failure{{full ? store_errc::no_space : store_errc::io_error, 0,
                       what + ": " + std::generic_category().message(code)}};
}

class descriptor {
public:
  descriptor() = default;
  descriptor(int fd, const std::string& what) : fd_{fd} {
    if (fd < 0) fail_system(errno, what);
  }
  ~descriptor() { close(); }
  descriptor(const descriptor&) = delete;
  int raw() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

private:
  int fd_ = -1;
};

void write_all(int fd, const char* bytes, size_t size) {
  while (size > 0) {
    auto written = ::write(fd, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_system(errno, "write the copy");
    bytes += written;
    size -= static_cast<size_t>(written);
  }
}

/// Of all that LMDB looks at to compact. It does so on two threads, of which one could not be told
/// that the other has met damage. A copy that is not compact it makes without a look.
void check_pages(MDB_txn* txn, const lmdb_databases& databases) {
  if (!is_sound(txn)) fail_lmdb(lmdb_astray, "look at the databases");
  for (MDB_dbi database = 0; database < databases.end; ++database)
    for_each_entry(txn, database, [](const MDB_val&, std::string_view) { return true; });
}

/// LMDB writes the copy into a pipe on a thread of its own; here it comes out, so that it can be
/// counted. A closed pipe makes LMDB stop, without the signal.
void pump(MDB_env* env, bool compact, int out, uint64_t total, const lmdb_store::progress& report) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail_system(errno, "make a pipe");
  descriptor from{ends[0], "pipe"};
  descriptor into{ends[1], "pipe"};
  int code = 0;
  std::thread writer{[&] {
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    code = mdb_env_copyfd2(env, into.raw(), compact ? unsigned{MDB_CP_COMPACT} : 0u);
    into.close();
  }};
  uint64_t done = 0;
  bool wanted = true;
  store_error error;
  std::vector<char> bytes(size_t{1} << 20);
  try {
    for (ssize_t got; wanted && (got = ::read(from.raw(), bytes.data(), bytes.size())) > 0;) {
      write_all(out, bytes.data(), static_cast<size_t>(got));
      done += static_cast<uint64_t>(got);
      wanted = !report || report(done, std::max(done, total));
    }
  } catch (const store_failure& failure) {
    error = failure.error;
  }
  from.close();
  writer.join();
  if (error) throw store_failure{error};
  if (!wanted) throw store_failure{{store_errc::io_error, 0, "the copy was stopped"}};
  check_lmdb(code, "copy");
}

}  // namespace

store_error lmdb_store_impl::copy(const fs::path& directory, bool compact, const progress& report) {
  auto unfinished = directory / "data.mdb.part";
  bool ours = false;
  std::error_code code;
  try {
    fs::create_directories(directory, code);
    if (code) fail_system(code.value(), directory.string());
    if (!fs::is_empty(directory, code) || code)
      throw store_failure{{store_errc::not_a_store, 0, directory.string() + ": not empty"}};
    descriptor out{::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640),
                   unfinished.string()};
    ours = true;
    lmdb_read held{env_};  // keeps the map from growing under LMDB's own transaction
    if (compact) check_pages(held.raw(), env_.databases());
    pump(env_.raw(), compact, out.raw(), env_.used_size(), report);
    if (::fsync(out.raw()) != 0) fail_system(errno, unfinished.string());
    fs::rename(unfinished, directory / "data.mdb", code);
    if (code) fail_system(code.value(), unfinished.string());
    ours = false;
    sync_directory(directory);
    return {};
  } catch (const store_failure& failure) {
    if (ours) fs::remove(unfinished, code);
    return failure.error;
  }
}

std::vector<store_error> lmdb_store_impl::verify(size_t most, const progress& report,
                                                 packed_share* packed) {
  try {
    lmdb_read txn{env_};
    packed_share unasked;
    auto& share = packed ? *packed : unasked;
    return lmdb_verify{txn.raw(), env_.databases(), most, report, share}.run();
  } catch (const store_failure& failure) {
    return {failure.error};
  }
}

}  // namespace vagus

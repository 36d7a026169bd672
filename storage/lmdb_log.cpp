#include "storage/lmdb_log.hpp"

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace vagus {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& where, const char* what) {
  throw store_failure{
      {store_errc::io_error, 0,
       where.string() + ": " + what + ": " + std::generic_category().message(errno)}};
}

class descriptor {
public:
  descriptor(const fs::path& where, int flags)
      : fd_{::open(where.c_str(), flags | O_CLOEXEC, 0640)} {}
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  int raw() const { return fd_; }

private:
  int fd_;
};

std::string read_metas(int fd, size_t size, const fs::path& where) {
  std::string bytes(size, '\0');
  auto n = ::pread(fd, bytes.data(), size, 0);
  if (n < 0) fail(where, "read the meta pages");
  bytes.resize(static_cast<size_t>(n));
  return bytes;
}

/// LMDB's own lock on its lock file: exclusive for who opens an environment first.
bool others_inside(int lock_file) {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = 0;
  range.l_len = 1;
  return ::fcntl(lock_file, F_SETLK, &range) != 0;
}

}  // namespace

lmdb_log::~lmdb_log() {
  if (syncing_.joinable()) syncing_.join();
  release(held_);
  release(next_);
}

void lmdb_log::release(MDB_txn*& pin) {
  if (pin) mdb_txn_abort(pin);
  pin = nullptr;
}

bool lmdb_log::needs_recovery(const fs::path& directory) {
  auto found = write_log::read(directory);
  if (!found.present) return false;
  auto where = directory / "data.mdb";
  descriptor file{where, O_RDONLY};
  if (file.raw() < 0) fail(where, "open");
  return !found.records.empty() ||
         read_metas(file.raw(), found.checkpoint.size(), where) != found.checkpoint;
}

std::vector<write_log::record> lmdb_log::restore(const fs::path& directory) {
  auto found = write_log::read(directory);
  if (!found.present) return {};
  // Somebody who reads the environment (a tool) has kept LMDB's shared state alive since the writer
  // died. Then the machine has not gone down, so the file is as the writer left it, and going back
  // would contradict that state.
  descriptor lock{directory / "lock.mdb", O_RDWR | O_CREAT};
  if (lock.raw() < 0) fail(directory, "open lock.mdb");
  if (others_inside(lock.raw())) return std::move(found.records);
  auto where = directory / "data.mdb";
  descriptor file{where, O_RDWR};
  if (file.raw() < 0) fail(where, "open");
  if (read_metas(file.raw(), found.checkpoint.size(), where) != found.checkpoint) {
    auto n = ::pwrite(file.raw(), found.checkpoint.data(), found.checkpoint.size(), 0);
    if (n != static_cast<ssize_t>(found.checkpoint.size())) fail(where, "restore the meta pages");
    if (::fdatasync(file.raw()) != 0) fail(where, "sync");
  }
  return std::move(found.records);
}

void lmdb_log::hold() {
  int dead = 0;
  check_lmdb(mdb_reader_check(env_.raw(), &dead), "look for dead readers");
  held_ = env_.pin();
  check_lmdb(mdb_env_set_flags(env_.raw(), MDB_NOSYNC, 1), "leave syncing to the log");
  size_ = env_.used_size();
}

std::string lmdb_log::meta_pages() {
  mdb_filehandle_t fd = -1;
  check_lmdb(mdb_env_get_fd(env_.raw(), &fd), "find the file");
  return read_metas(fd, 2 * env_.page_size(), directory_ / "data.mdb");
}

/// In pieces, as a sync of the log meanwhile waits for what the disk has been given before.
void lmdb_log::write_out() {
  constexpr uint64_t piece = 1u << 20;
  mdb_filehandle_t fd = -1;
  check_lmdb(mdb_env_get_fd(env_.raw(), &fd), "find the file");
  auto size = env_.used_size();
  for (uint64_t at = 0; at < size; at += piece)
    ::sync_file_range(
        fd, static_cast<off_t>(at), static_cast<off_t>(piece),
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}

void lmdb_log::sync_environment() {
  mdb_filehandle_t fd = -1;
  check_lmdb(mdb_env_get_fd(env_.raw(), &fd), "find the file");
  if (::fdatasync(fd) != 0) fail(directory_ / "data.mdb", "sync");
}

/// The environment first: on recovery the log may be taken up while both of its files hold batches
/// that are needed until then.
void lmdb_log::checkpoint() {
  join();
  sync_environment();
  next_ = env_.pin();
  log_.begin(meta_pages());
  log_.complete();
  release(held_);
  std::swap(held_, next_);
  size_ = env_.used_size();
  changed_ = false;
}

void lmdb_log::begin_checkpoint() {
  // Batches of the next file may be on the disk before this one's are: that would be a hole.
  if (!most_.sync_each) log_.sync();
  next_ = env_.pin();
  log_.begin(meta_pages());
  size_ = env_.used_size();
  synced_ = false;
  changed_ = false;
  syncing_ = std::thread{[this] {
    try {
      write_out();
      sync_environment();
      log_.complete();
    } catch (const store_failure& failure) {
      sync_error_ = failure.error;
    }
    synced_ = true;
  }};
}

/// A sync that failed once says nothing when it succeeds later: only going back to the checkpoint
/// before it helps, which is what `retry` does.
void lmdb_log::join() {
  if (!syncing_.joinable()) return;
  syncing_.join();
  if (sync_error_) throw store_failure{sync_error_};
  release(held_);
  std::swap(held_, next_);
}

/// A log that has got that long is waited for.
bool lmdb_log::is_too_long() const {
  return log_.bytes() / 4 >= most_.bytes || log_.batches() / 4 >= most_.batches;
}

/// Where the file grows, the pages that were freed wait for a checkpoint.
bool lmdb_log::wants_checkpoint() const {
  if (syncing_.joinable() && !synced_) return is_too_long();
  return log_.bytes() >= most_.bytes || log_.batches() >= most_.batches ||
         env_.used_size() >= size_ + most_.growth;
}

void lmdb_log::append(uint64_t number, std::string_view batch, bool checkpoint) {
  if (!syncing_.joinable() && sync_error_) throw store_failure{sync_error_};
  if (syncing_.joinable() && (synced_ || checkpoint)) join();
  if (checkpoint) begin_checkpoint();
  log_.append(number, batch);
}

}  // namespace vagus

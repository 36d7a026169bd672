// Preloaded into a program, it writes down what that program does to the files below a directory,
// in order, so that power_image can tell what would be on the disk had the power gone.
//   POWER_DIR   the directory (absolute)
//   POWER_LOG   the file to write to
//   POWER_CUT   the process is killed before the n-th operation (0 or absent: never)
// The log is a run of power_op heads with their bytes. Files that are mapped for writing are not
// covered (LMDB's lock.mdb, which holds no data), nor is what is written through stdio, openat or
// fallocate.
#include "power_op.hpp"

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <mutex>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

constexpr int most_files = 4096;

struct watched {
  char name[480];
  bool dsync;
  bool append;
};

struct shim {
  std::mutex mutex;
  std::string dir;
  int log = -1;
  unsigned long cut = 0;
  unsigned long count = 0;
  watched* files[most_files] = {};
};

template <class F>
F real(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

using write_fn = ssize_t (*)(int, const void*, size_t);

shim& state() {
  static auto* s = [] {
    auto* made = new shim;
    if (auto* dir = getenv("POWER_DIR")) made->dir = dir;
    if (auto* cut = getenv("POWER_CUT")) made->cut = strtoul(cut, nullptr, 10);
    if (auto* log = getenv("POWER_LOG"))
      made->log = static_cast<int>(
          syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    return made;
  }();
  return *s;
}

void note(power_op::kind kind, const char* name, uint64_t at, const void* bytes, size_t size) {
  auto& s = state();
  if (s.log < 0) return;
  if (s.cut != 0 && ++s.count >= s.cut) {
    kill(getpid(), SIGKILL);
    pause();
  }
  power_op head{kind, static_cast<uint32_t>(strlen(name)), at, size};
  iovec parts[3] = {{&head, sizeof head},
                    {const_cast<char*>(name), head.name_size},
                    {const_cast<void*>(bytes), size}};
  static auto writev_ = real<ssize_t (*)(int, const iovec*, int)>("writev");
  if (writev_(s.log, parts, 3) < 0) abort();
}

/// The name below the directory, or null.
const char* below(const char* path, char* buffer, size_t size) {
  auto& s = state();
  if (s.dir.empty()) return nullptr;
  std::string full = path;
  if (path[0] != '/') {
    char here[4096];
    if (!getcwd(here, sizeof here)) return nullptr;
    full = std::string{here} + "/" + path;
  }
  if (full.compare(0, s.dir.size(), s.dir) != 0) return nullptr;
  auto rest = full.substr(s.dir.size());
  while (!rest.empty() && rest.front() == '/') rest.erase(0, 1);
  while (!rest.empty() && rest.back() == '/') rest.pop_back();
  if (rest.size() >= 8 && rest.compare(rest.size() - 8, 8, "lock.mdb") == 0) return nullptr;
  if (rest.size() + 1 > size) return nullptr;
  memcpy(buffer, rest.c_str(), rest.size() + 1);
  return buffer;
}

watched* file_of(int fd) {
  return fd >= 0 && fd < most_files ? state().files[fd] : nullptr;
}

template <class Open>
int opened(const char* path, int flags, Open&& open) {
  char name[480];
  auto* known = below(path, name, sizeof name);
  if (!known) return open();
  std::lock_guard lock{state().mutex};
  bool there = access(path, F_OK) == 0;
  if (!there && (flags & O_CREAT)) note(power_op::create, name, 0, nullptr, 0);
  int fd = open();
  if (fd < 0 || fd >= most_files) return fd;
  auto* w = new watched{};
  memcpy(w->name, name, sizeof name);
  w->dsync = (flags & (O_DSYNC | O_SYNC)) != 0;
  w->append = (flags & O_APPEND) != 0;
  state().files[fd] = w;
  if (there && (flags & O_TRUNC)) note(power_op::truncate, name, 0, nullptr, 0);
  return fd;
}

mode_t mode_of(int flags, va_list list) {
  return flags & O_CREAT ? va_arg(list, mode_t) : 0;
}

template <class Write>
ssize_t written(int fd, off_t at, const iovec* parts, int count, Write&& write) {
  auto* w = file_of(fd);
  if (!w) return write();
  std::lock_guard lock{state().mutex};
  if (at < 0) {
    struct stat status {};
    fstat(fd, &status);
    at = w->append ? status.st_size : lseek(fd, 0, SEEK_CUR);
  }
  std::string bytes;
  for (int i = 0; i < count; ++i)
    bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  note(power_op::write, w->name, static_cast<uint64_t>(at), bytes.data(), bytes.size());
  auto done = write();
  if (done >= 0 && static_cast<size_t>(done) != bytes.size()) abort();
  if (w->dsync) note(power_op::synced_write, w->name, 0, nullptr, 0);
  return done;
}

template <class Sync>
int synced(int fd, Sync&& sync) {
  auto* w = file_of(fd);
  if (!w) return sync();
  {
    std::lock_guard lock{state().mutex};
    note(power_op::sync_begin, w->name, static_cast<uint64_t>(fd), nullptr, 0);
  }
  int code = sync();
  std::lock_guard lock{state().mutex};
  if (code == 0) note(power_op::sync_end, w->name, static_cast<uint64_t>(fd), nullptr, 0);
  return code;
}

template <class F>
int resized(const char* name, uint64_t size, F&& f) {
  std::lock_guard lock{state().mutex};
  note(power_op::truncate, name, size, nullptr, 0);
  return f();
}

template <class F>
int named(power_op::kind kind, const char* path, const char* to, F&& f) {
  char name[480], other[480] = "";
  if (!below(path, name, sizeof name)) return f();
  if (to && !below(to, other, sizeof other)) return f();
  std::lock_guard lock{state().mutex};
  if (access(path, F_OK) == 0) note(kind, name, 0, other, strlen(other));
  return f();
}

}  // namespace

extern "C" {

#define OPEN_LIKE(function)                                              \
  int function(const char* path, int flags, ...) {                       \
    static auto next = real<int (*)(const char*, int, ...)>(#function);  \
    va_list list;                                                        \
    va_start(list, flags);                                               \
    auto mode = mode_of(flags, list);                                    \
    va_end(list);                                                        \
    return opened(path, flags, [&] { return next(path, flags, mode); }); \
  }
OPEN_LIKE(open)
OPEN_LIKE(open64)

int close(int fd) {
  static auto next = real<int (*)(int)>("close");
  if (auto* w = file_of(fd)) {
    std::lock_guard lock{state().mutex};
    state().files[fd] = nullptr;
    delete w;
  }
  return next(fd);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  static auto next = real<write_fn>("write");
  iovec part{const_cast<void*>(bytes), size};
  return written(fd, -1, &part, 1, [&] { return next(fd, bytes, size); });
}

ssize_t writev(int fd, const iovec* parts, int count) {
  static auto next = real<ssize_t (*)(int, const iovec*, int)>("writev");
  return written(fd, -1, parts, count, [&] { return next(fd, parts, count); });
}

#define PWRITE_LIKE(function)                                                         \
  ssize_t function(int fd, const void* bytes, size_t size, off_t at) {                \
    static auto next = real<ssize_t (*)(int, const void*, size_t, off_t)>(#function); \
    iovec part{const_cast<void*>(bytes), size};                                       \
    return written(fd, at, &part, 1, [&] { return next(fd, bytes, size, at); });      \
  }
PWRITE_LIKE(pwrite)
PWRITE_LIKE(pwrite64)

#define PWRITEV_LIKE(function)                                                        \
  ssize_t function(int fd, const iovec* parts, int count, off_t at) {                 \
    static auto next = real<ssize_t (*)(int, const iovec*, int, off_t)>(#function);   \
    return written(fd, at, parts, count, [&] { return next(fd, parts, count, at); }); \
  }
PWRITEV_LIKE(pwritev)
PWRITEV_LIKE(pwritev64)

#define SYNC_LIKE(function)                           \
  int function(int fd) {                              \
    static auto next = real<int (*)(int)>(#function); \
    return synced(fd, [&] { return next(fd); });      \
  }
SYNC_LIKE(fsync)
SYNC_LIKE(fdatasync)

#define FTRUNCATE_LIKE(function)                                                          \
  int function(int fd, off_t size) {                                                      \
    static auto next = real<int (*)(int, off_t)>(#function);                              \
    auto* w = file_of(fd);                                                                \
    if (!w) return next(fd, size);                                                        \
    return resized(w->name, static_cast<uint64_t>(size), [&] { return next(fd, size); }); \
  }
FTRUNCATE_LIKE(ftruncate)
FTRUNCATE_LIKE(ftruncate64)

#define TRUNCATE_LIKE(function)                                                          \
  int function(const char* path, off_t size) {                                           \
    static auto next = real<int (*)(const char*, off_t)>(#function);                     \
    char name[480];                                                                      \
    if (!below(path, name, sizeof name)) return next(path, size);                        \
    return resized(name, static_cast<uint64_t>(size), [&] { return next(path, size); }); \
  }
TRUNCATE_LIKE(truncate)
TRUNCATE_LIKE(truncate64)

int rename(const char* from, const char* to) {
  static auto next = real<int (*)(const char*, const char*)>("rename");
  return named(power_op::rename, from, to, [&] { return next(from, to); });
}

int unlink(const char* path) {
  static auto next = real<int (*)(const char*)>("unlink");
  return named(power_op::unlink, path, nullptr, [&] { return next(path); });
}

int remove(const char* path) {
  static auto next = real<int (*)(const char*)>("remove");
  return named(power_op::unlink, path, nullptr, [&] { return next(path); });
}

}  // extern "C"

#include "storage/writer_lock.hpp"

#include "storage/store_error.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

namespace vagus {

writer_lock::~writer_lock() {
  if (fd_ >= 0) ::close(fd_);
}

void writer_lock::take(const std::filesystem::path& directory) {
  auto file = directory / file_name;
  fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
  auto why = errno == EWOULDBLOCK ? "another process or part of this one writes to it"
                                  : std::generic_category().message(errno);
  throw store_failure{{store_errc::io_error, 0, file.string() + ": " + why}};
}

bool writer_lock::is_taken(const std::filesystem::path& directory) {
  int fd = ::open((directory / file_name).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool taken = ::flock(fd, LOCK_SH | LOCK_NB) != 0;
  ::close(fd);
  return taken;
}

}  // namespace vagus

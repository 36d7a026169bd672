#include "store_directory.hpp"

#include "common.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace vagus::bench {

store_directory::store_directory(const workspace& space, bool accept_memory)
    : path_(space.directory() + "/store-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) throw failure("cannot make a directory for the store");
  struct statfs fs {};
  if (!accept_memory && statfs(path_.c_str(), &fs) == 0 && fs.f_type == TMPFS_MAGIC) {
    rmdir(path_.c_str());
    throw failure(space.directory() + " is in memory; --dir names a directory on a disk");
  }
  // What others have left to be written must not be waited for by the first fsync of this store.
  if (const int fd = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); fd >= 0) {
    syncfs(fd);
    close(fd);
  }
}

store_directory::~store_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string write_file(const workspace& space, const std::string& name, const std::string& text) {
  const std::string path = space.directory() + "/" + name;
  if (!(std::ofstream(path) << text).flush()) throw failure("cannot write " + path);
  return path;
}

}  // namespace vagus::bench

#pragma once

#include "server.hpp"

#include <string>

namespace vagus::bench {

/// A directory below the workspace's for a server's store, removed with all in it by the
/// destructor. Fails when it is in memory (tmpfs), where nothing waits for a disk, unless that is
/// accepted.
class store_directory {
public:
  explicit store_directory(const workspace& space, bool accept_memory = false);
  ~store_directory();
  store_directory(const store_directory&) = delete;
  store_directory& operator=(const store_directory&) = delete;

  const std::string& path() const { return path_; }

private:
  std::string path_;
};

/// Writes a file into the workspace; returns its path.
std::string write_file(const workspace& space, const std::string& name, const std::string& text);

}  // namespace vagus::bench

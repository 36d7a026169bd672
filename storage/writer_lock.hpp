#pragma once

#include <filesystem>

namespace vagus {

/// Keeps a second writer out of a stream's directory, in this process or another: a lock on the
/// file `writer.lock` in it, which the system takes back when the process ends.
class writer_lock {
public:
  static constexpr const char* file_name = "writer.lock";

  writer_lock() = default;
  ~writer_lock();
  writer_lock(const writer_lock&) = delete;
  writer_lock& operator=(const writer_lock&) = delete;

  /// Throws `store_failure` if somebody else has it.
  void take(const std::filesystem::path& directory);

  /// Whether somebody has it.
  static bool is_taken(const std::filesystem::path& directory);

private:
  int fd_ = -1;
};

}  // namespace vagus

#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace vagus::testing {

/// How much of the stores below `directory` this process has in its page tables, in kB.
inline uint64_t resident_maps(const std::filesystem::path& directory) {
  std::ifstream maps{"/proc/self/smaps"};
  uint64_t sum = 0;
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(':') > line.find(' '))  // the range of a map, not a figure of it
      here = line.find(directory.string()) != std::string::npos && line.ends_with("/data.mdb");
    if (here && line.starts_with("Rss:")) sum += std::stoull(line.substr(4));
  }
  return sum;
}

}  // namespace vagus::testing

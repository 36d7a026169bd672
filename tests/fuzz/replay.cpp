#include "target.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// A seed, and every beginning of it.
void replay(const std::string& text) {
  for (size_t size = 0; size <= text.size(); ++size) {
    // In memory of its own, so that a sanitizer sees what is read behind it.
    std::vector<uint8_t> bytes(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
}

}  // namespace

/// In place of libFuzzer: runs the target on the files of the directories that are named.
int main(int argc, char** argv) {
  size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator{argv[i]}) {
      replay(contents(entry.path()));
      ++files;
    }
  }
  std::printf("%zu seeds\n", files);
  return files > 0 ? 0 : 1;
}

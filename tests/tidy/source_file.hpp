#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vagus::tidy {

/// One file of the repository.
struct source_file {
  std::string path;  ///< relative to the root, with '/'
  std::string text;
  std::string code;  ///< C++: the text with comments and the contents of literals blanked out

  bool is_cpp() const { return path.ends_with(".cpp") || path.ends_with(".hpp"); }
  bool is_below(std::string_view folder) const { return path.starts_with(folder); }
  std::string folder() const { return path.substr(0, path.rfind('/')); }
};

source_file make_source(std::string path, std::string text);

/// Every file with sources or build rules below `root`; not what is built, fetched or hidden.
std::vector<source_file> read_repository(const std::filesystem::path& root);

/// C++ in which comments, and what is inside of string and character literals, are blanks. Line
/// ends stay, and so does every position.
std::string blank_texts(std::string_view cpp);

/// Lines without their ends.
std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace vagus::tidy

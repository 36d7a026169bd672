#include "source_file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>

namespace vagus::tidy {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> endings{".cpp",   ".hpp",           ".mjs",
                                                  ".cmake", "CMakeLists.txt", "Makefile"};

bool is_source(const std::string& path) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view e) { return path.ends_with(e); });
}

bool is_passed_over(const fs::path& folder) {
  auto name = folder.filename().string();
  return name[0] == '.' || name == "node_modules" || name.starts_with("build") || name == "data";
}

/// Blanks [from, to) but for line ends.
void blank(std::string& text, size_t from, size_t to) {
  for (size_t i = from; i < std::min(to, text.size()); ++i)
    if (text[i] != '\n') text[i] = ' ';
}

/// Where the literal that is opened at `at` ends: behind its closing quote.
size_t end_of_literal(std::string_view text, size_t at) {
  char quote = text[at];
  for (++at; at < text.size() && text[at] != quote && text[at] != '\n'; ++at)
    if (text[at] == '\\') ++at;
  return at + 1;
}

size_t end_of_raw_string(std::string_view text, size_t quote) {
  auto open = text.find('(', quote);
  auto close = ")" + std::string{text.substr(quote + 1, open - quote - 1)} + "\"";
  auto end = text.find(close, open);
  return end == std::string_view::npos ? text.size() : end + close.size();
}

/// 1'000 is a number and not a character.
bool separates_digits(std::string_view text, size_t quote) {
  return quote > 0 && std::isalnum(static_cast<unsigned char>(text[quote - 1])) != 0;
}

}  // namespace

std::string blank_texts(std::string_view cpp) {
  std::string out{cpp};
  for (size_t at = 0; at < cpp.size();) {
    auto two = cpp.substr(at, 2);
    if (two == "//") {
      auto end = std::min(cpp.find('\n', at), cpp.size());
      blank(out, at, end);
      at = end;
    } else if (two == "/*") {
      auto end = std::min(cpp.find("*/", at + 2), cpp.size() - 2) + 2;
      blank(out, at, end);
      at = end;
    } else if (two == "R\"") {
      auto end = end_of_raw_string(cpp, at + 1);
      blank(out, at + 2, end - 1);
      at = end;
    } else if (cpp[at] == '"' || (cpp[at] == '\'' && !separates_digits(cpp, at))) {
      auto end = end_of_literal(cpp, at);
      blank(out, at + 1, end - 1);
      at = end;
    } else {
      ++at;
    }
  }
  return out;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

source_file make_source(std::string path, std::string text) {
  source_file file{std::move(path), std::move(text), {}};
  file.code = file.is_cpp() ? blank_texts(file.text) : file.text;
  return file;
}

std::vector<source_file> read_repository(const fs::path& root) {
  std::vector<source_file> files;
  for (auto it = fs::recursive_directory_iterator{root}; it != fs::end(it); ++it) {
    if (it->is_directory() && is_passed_over(it->path())) {
      it.disable_recursion_pending();
      continue;
    }
    auto path = fs::relative(it->path(), root).generic_string();
    if (!it->is_regular_file() || !is_source(path)) continue;
    std::ifstream in{it->path(), std::ios::binary};
    files.push_back(make_source(path, {std::istreambuf_iterator<char>{in}, {}}));
  }
  return files;
}

}  // namespace vagus::tidy

#include "rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

namespace vagus::tidy {

namespace {

constexpr size_t most_lines = 600;
constexpr size_t most_lines_of_function = 70;
constexpr size_t most_characters = 100;

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string place(const source_file& file, size_t line, const std::string& what) {
  return file.path + ":" + std::to_string(line) + ": " + what;
}

/// Whether `word` stands in `text` with nothing of a word on either side.
bool has_word(std::string_view text, std::string_view word) {
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    auto end = at + word.size();
    bool starts = at == 0 || !is_word(text[at - 1]) || !is_word(word.front());
    bool ends = end == text.size() || !is_word(text[end]) || !is_word(word.back());
    if (starts && ends) return true;
  }
  return false;
}

/// A finding for every line on which one of the words stands.
template <size_t N>
findings lines_with(const source_file& file, std::string_view text,
                    const std::array<std::string_view, N>& words) {
  findings found;
  auto lines = lines_of(text);
  for (size_t i = 0; i < lines.size(); ++i)
    for (auto word : words)
      if (has_word(lines[i], word)) found.push_back(place(file, i + 1, std::string{word}));
  return found;
}

/// Continuation bytes of UTF-8 are no characters.
size_t characters(std::string_view line) {
  return static_cast<size_t>(
      std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string trimmed(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  return text;
}

enum class scope { container, function, other };

/// What a brace opens, by what stands between it and the last ';' or brace.
scope opened_by(const std::string& before) {
  auto text = trimmed(before);
  for (std::string_view word : {"namespace", "class", "struct", "enum", "union", "extern"})
    if (has_word(text, word) && text.find('(') == std::string::npos) return scope::container;
  if (text.find('(') == std::string::npos) return scope::other;
  return text.back() == '=' || text.back() == ',' || text.back() == '(' ? scope::other
                                                                        : scope::function;
}

}  // namespace

findings long_file(const source_file& file) {
  auto n = lines_of(file.text).size();
  if (n <= most_lines) return {};
  return {place(file, n, "a file of " + std::to_string(n) + " lines")};
}

findings long_functions(const source_file& file) {
  if (!file.is_cpp()) return {};
  struct brace {
    scope kind;
    size_t line;
    bool outermost;  // no other function is around it
  };
  findings found;
  std::vector<brace> open;
  std::string before;
  size_t line = 1;
  size_t inside = 0;  // functions
  for (char c : file.code) {
    if (c == '\n') ++line;
    if (c == '{') {
      auto kind = opened_by(before);
      open.push_back({kind, line, kind == scope::function && inside == 0});
      inside += kind == scope::function;
    } else if (c == '}' && !open.empty()) {
      auto last = open.back();
      open.pop_back();
      inside -= last.kind == scope::function;
      auto size = line - last.line + 1;
      if (last.outermost && size > most_lines_of_function)
        found.push_back(place(file, last.line, "a function of " + std::to_string(size) + " lines"));
    }
    if (c == '{' || c == '}' || c == ';')
      before.clear();
    else
      before += c;
  }
  return found;
}

findings long_lines(const source_file& file) {
  findings found;
  if (!file.is_cpp()) return found;
  auto lines = lines_of(file.text);
  for (size_t i = 0; i < lines.size(); ++i)
    if (auto n = characters(lines[i]); n > most_characters)
      found.push_back(place(file, i + 1, std::to_string(n) + " characters"));
  return found;
}

findings caf_imports(const source_file& file) {
  if (!file.is_cpp()) return {};
  return lines_with(file, file.code, std::array<std::string_view, 1>{"using namespace caf"});
}

findings left_markers(const source_file& file) {
  // In two halves, so that this file has none.
  return lines_with(file, file.text,
                    std::array<std::string_view, 3>{"TO"
                                                    "DO",
                                                    "FIX"
                                                    "ME",
                                                    "XX"
                                                    "X"});
}

findings sleeps(const source_file& file) {
  if (!file.is_below("tests/") || !file.is_cpp()) return {};
  // Pacing a load is the job of the benchmarks; and what waits for another process, with a
  // deadline, has to look again and again.
  constexpr std::array<std::string_view, 4> waiting{
      "tests/bench/", "tests/support/server_process.cpp", "tests/clients/server_process.cpp",
      "tests/clients/c/client.cpp"};
  for (auto path : waiting)
    if (file.is_below(path)) return {};
  return lines_with(
      file, file.code,
      std::array<std::string_view, 5>{"sleep_for", "sleep_until", "usleep", "nanosleep", "sleep("});
}

findings lmdb_includes(const source_file& file) {
  if (!file.is_cpp() || file.is_below("storage/lmdb")) return {};
  return lines_with(file, file.code, std::array<std::string_view, 1>{"#include <lmdb.h>"});
}

findings foreign_words(const source_file& file) {
  // A cursor is what LMDB calls its own.
  if (!file.is_cpp() || file.is_below("tests/") || file.is_below("storage/lmdb")) return {};
  // Of the naming table's words, those that cannot mean anything else here.
  const std::set<std::string_view> words{"topic",   "topics",   "cursor",    "cursors",
                                         "receipt", "receipts", "keepalive", "lag"};
  findings found;
  auto lines = lines_of(file.code);
  for (size_t i = 0; i < lines.size(); ++i) {
    auto line = lines[i];
    if (line.starts_with("#include")) continue;
    for (size_t at = 0; at < line.size();) {
      auto end = at;
      while (end < line.size() && std::isalnum(static_cast<unsigned char>(line[end]))) ++end;
      if (words.count(line.substr(at, end - at)))
        found.push_back(place(file, i + 1, std::string{line.substr(at, end - at)}));
      at = end + 1;
    }
  }
  return found;
}

findings folders_without_readme(const std::vector<source_file>& files,
                                const std::filesystem::path& root) {
  std::set<std::string> folders;
  for (const auto& f : files)
    if ((f.is_cpp() || f.path.ends_with(".mjs")) && f.path.find('/') != std::string::npos)
      folders.insert(f.folder());
  findings found;
  for (const auto& folder : folders) {
    auto at = root / folder;
    bool there = std::filesystem::exists(at / "README.md");
    if (!there && folder.starts_with("tests/") && folder != "tests")
      there = std::filesystem::exists(at.parent_path() / "README.md");
    if (!there) found.push_back(folder + ": no README.md");
  }
  return found;
}

}  // namespace vagus::tidy
